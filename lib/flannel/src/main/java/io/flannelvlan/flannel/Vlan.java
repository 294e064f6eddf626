package io.flannelvlan.flannel;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.Vni;

/**
 * One isolated flannel network.
 *
 * @param name one element of its etcd path: 1 to 64 printable ASCII characters without blank or
 *     slash
 */
public record Vlan(String name, NetworkConfig config) {

  private static final int LONGEST_NAME = 64;

  public Vlan {
    requireName(name);
  }

  /** The name of a VLAN that is known by its number only: {@code vlan002}. */
  public static String nameOf(Vni vni) {
    return "vlan%03d".formatted(vni.number());
  }

  /**
   * Checks a name.
   *
   * @throws IllegalArgumentException if it cannot name a VLAN
   */
  public static String requireName(String name) {
    String fault = fault(name);
    if (!fault.isEmpty()) {
      throw new IllegalArgumentException("\"" + name + "\" cannot name a VLAN: " + fault);
    }
    return name;
  }

  public Cidr range() {
    return config.range();
  }

  public Vni vni() {
    return config.backend().vni();
  }

  private static String fault(String name) {
    if (name.isEmpty() || name.length() > LONGEST_NAME) {
      return "give 1 to " + LONGEST_NAME + " characters";
    }
    if (!name.chars().allMatch(c -> c > ' ' && c <= '~' && c != '/')) {
      return "only printable ASCII without blanks and slashes is allowed";
    }
    if (name.equals(".") || name.equals("..")) {
      return "it means a place in a path";
    }
    // A flanneld whose prefix is ours would read such keys as its own config and leases.
    if (name.equals("config") || name.startsWith("subnets")) {
      return "flannel uses this name itself";
    }
    return "";
  }

  @Override
  public String toString() {
    return name + " (VNI " + vni() + ", " + range() + ")";
  }
}
