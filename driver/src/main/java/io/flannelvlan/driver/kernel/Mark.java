package io.flannelvlan.driver.kernel;

/**
 * How our objects in the kernel are known as ours, by every later process: links by their alias and
 * group, routes by their protocol number. Addresses, neighbours and FDB entries belong to the link
 * that carries them. What is not marked is never changed nor removed.
 */
public final class Mark {

  /** How the names of our bridges begin, unless the user names one. */
  public static final String BRIDGE = "fvbr.";

  /** Free in {@code /etc/iproute2/rt_protos} and far from the numbers of routing daemons. */
  static final int ROUTE_PROTOCOL = 241;

  /** Link group: unlike the alias it can be set in the request that makes the link. */
  static final int GROUP = 26_220;

  /** Links that are about to be deleted together. */
  static final int DOOMED_GROUP = 26_221;

  private static final String ALIAS = "flannelvlan ";

  private Mark() {}

  /** The alias of a link that serves this VLAN, as {@code ip -d link} shows it. */
  static String alias(String vlan) {
    return ALIAS + vlan;
  }

  static boolean isOurs(KernelLink link) {
    return link.alias().startsWith(ALIAS);
  }

  /** The VLAN that one of our links serves, or served. */
  static String vlan(KernelLink link) {
    return link.alias().substring(ALIAS.length());
  }
}
