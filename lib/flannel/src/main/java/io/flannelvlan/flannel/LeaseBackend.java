package io.flannelvlan.flannel;

import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.util.Optional;

/** How a lease's host can be reached. */
public sealed interface LeaseBackend {

  /** flannel's name of the backend. */
  String type();

  /**
   * A VXLAN tunnel end.
   *
   * @param vni for information only; written since flannel 0.14
   * @param vtepMac of the host's VXLAN link
   */
  record VxlanVtep(Optional<Vni> vni, MacAddress vtepMac) implements LeaseBackend {

    static final String TYPE = "vxlan";

    @Override
    public String type() {
      return TYPE;
    }
  }

  /**
   * A backend that is not ours, or none (a reservation made by hand): the subnet is taken, and its
   * host is no peer.
   *
   * @param type empty for none
   * @param data its BackendData as JSON, empty for none
   */
  record Other(String type, String data) implements LeaseBackend {}
}
