package io.flannelvlan.driver.shared;

import io.flannelvlan.flannel.Vlan;
import java.util.Map;
import java.util.Optional;

/** One thing to do for a VLAN's network on this host. */
public sealed interface Step {

  /** The VLAN's name. */
  String name();

  /**
   * Makes the network in this host's Docker.
   *
   * @param word what etcd says of it; if it says something else by now, this is not to be done
   */
  record Place(
      Vlan vlan,
      Optional<SharedNetwork> word,
      String network,
      boolean internal,
      Map<String, String> options,
      Map<String, String> labels)
      implements Step {

    public Place {
      options = Map.copyOf(options);
      labels = Map.copyOf(labels);
    }

    @Override
    public String name() {
      return vlan.name();
    }
  }

  /** Describes this host's network to the others. */
  record Publish(Vlan vlan, String id) implements Step {
    @Override
    public String name() {
      return vlan.name();
    }
  }

  /** Notes what this host has had. */
  record Settle(Settled settled) implements Step {
    @Override
    public String name() {
      return settled.vlan();
    }
  }

  /** Removes the network from this host's Docker: it was removed everywhere. */
  record Remove(String name, String id, SharedNetwork.Removed why) implements Step {}

  /** Takes the VLAN out of etcd, once no host is in it. */
  record Discard(String name) implements Step {}
}
