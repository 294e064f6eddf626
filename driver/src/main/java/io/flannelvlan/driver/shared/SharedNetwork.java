package io.flannelvlan.driver.shared;

import io.flannelvlan.net.Cidr;
import java.time.Instant;
import java.util.Map;

/** What etcd says of a VLAN's Docker network. */
public sealed interface SharedNetwork {

  /** The VLAN was made just now, and whoever made it will say more. */
  record Announced(Instant since) implements SharedNetwork {}

  /**
   * The hosts shall have this network.
   *
   * @param generation tells it from one that was removed everywhere before, and from a later one
   * @param range the VLAN's, in case another VLAN of this name has come since
   * @param options for the driver, as its user gave them
   * @param everywhere false if only those hosts shall have it whose users make it
   * @param by the public address of the host that described it
   */
  record Described(
      String generation,
      Cidr range,
      String name,
      boolean internal,
      Map<String, String> options,
      Map<String, String> labels,
      boolean everywhere,
      String by,
      Instant since)
      implements SharedNetwork {

    public Described {
      options = Map.copyOf(options);
      labels = Map.copyOf(labels);
    }
  }

  /**
   * No host shall have it any more. Kept after the VLAN itself is gone, for hosts that were away.
   *
   * @param generation of the one removed
   * @param done whether the VLAN is out of etcd as well: one that is there was made since
   */
  record Removed(String generation, boolean done, String by, Instant since)
      implements SharedNetwork {

    /** As it is once the VLAN is out of etcd. */
    public Removed finished() {
      return new Removed(generation, true, by, since);
    }
  }

  /** Somebody wrote what is none of these. */
  record Unreadable(String reason) implements SharedNetwork {}
}
