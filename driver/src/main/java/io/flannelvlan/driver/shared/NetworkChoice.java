package io.flannelvlan.driver.shared;

import io.flannelvlan.flannel.Vlan;
import java.util.List;
import java.util.Set;

/** Which VLANs' networks shall appear on this host by themselves: the setting NETWORKS. */
public sealed interface NetworkChoice {

  boolean includes(String vlan);

  /** Those of all VLANs in etcd. */
  record All() implements NetworkChoice {
    @Override
    public boolean includes(String vlan) {
      return true;
    }
  }

  /** These alone. */
  record Only(Set<String> vlans) implements NetworkChoice {

    public Only {
      vlans = Set.copyOf(vlans);
    }

    @Override
    public boolean includes(String vlan) {
      return vlans.contains(vlan);
    }
  }

  /**
   * Reads {@code all}, {@code none} or names of VLANs.
   *
   * @throws IllegalArgumentException for a name that no VLAN can have
   */
  static NetworkChoice of(List<String> words) {
    if (words.equals(List.of("all"))) {
      return new All();
    }
    if (words.equals(List.of("none"))) {
      return new Only(Set.of());
    }
    if (words.contains("all") || words.contains("none")) {
      throw new IllegalArgumentException("\"all\" and \"none\" stand alone");
    }
    words.forEach(Vlan::requireName);
    return new Only(Set.copyOf(words));
  }
}
