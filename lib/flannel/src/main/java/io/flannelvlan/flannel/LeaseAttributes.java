package io.flannelvlan.flannel;

import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.util.Optional;

/**
 * Whose a lease is, and how to reach that host.
 *
 * @param publicIp the tunnel's end; flannel knows a host by this alone
 */
public record LeaseAttributes(
    IpAddress publicIp, Optional<IpAddress> publicIpv6, LeaseBackend backend) {

  public LeaseAttributes {
    if (!publicIp.isIpv4()) {
      throw new IllegalArgumentException("PublicIP " + publicIp + " is not IPv4");
    }
  }

  /** A host of a VXLAN over IPv4. */
  public static LeaseAttributes vxlan(IpAddress publicIp, Vni vni, MacAddress vtepMac) {
    return new LeaseAttributes(
        publicIp, Optional.empty(), new LeaseBackend.VxlanVtep(Optional.of(vni), vtepMac));
  }

  /** The tunnel end, if it is one of VXLAN. */
  public Optional<MacAddress> vtepMac() {
    return switch (backend) {
      case LeaseBackend.VxlanVtep vtep -> Optional.of(vtep.vtepMac());
      case LeaseBackend.Other _ -> Optional.empty();
    };
  }
}
