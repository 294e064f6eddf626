package io.flannelvlan.driver.kernel;

import io.flannelvlan.firewall.PortGroup;
import java.util.regex.Pattern;

/**
 * How our objects in the kernel are known as ours, by every later process: links by their alias and
 * group, routes by their protocol number. Addresses, neighbours and FDB entries belong to the link
 * that carries them; our addresses on a bridge of the user's have a label. What is not marked is
 * never changed nor removed.
 */
public final class Mark {

  /** How the names of our bridges begin, unless the user names one. */
  public static final String BRIDGE = "fvbr.";

  /** Free in {@code /etc/iproute2/rt_protos} and far from the numbers of routing daemons. */
  static final int ROUTE_PROTOCOL = 241;

  /** Link group: unlike the alias it can be set in the request that makes the link. */
  static final int GROUP = 26_220;

  /** Links that are about to be deleted together. */
  static final int DOOMED_GROUP = PortGroup.DOOMED;

  /** The longest name of a bridge of the user's: its addresses' label is longer by three. */
  public static final int LABELLED_NAME = 12;

  private static final String ALIAS = "flannelvlan ";
  private static final String NAMELESS = ALIAS;
  private static final String LABEL = ":fv";

  /** No VLAN's name has a slash. */
  private static final String BRIDGES = "bridge/";

  private static final Pattern OWN_BRIDGE = Pattern.compile("fvbr\\.[0-9]+");

  private Mark() {}

  /** Whether a bridge of that name is one VLAN's alone. */
  static boolean isOwnBridge(String name) {
    return OWN_BRIDGE.matcher(name).matches();
  }

  /** The alias of a link that serves this VLAN, as {@code ip -d link} shows it. */
  static String alias(String vlan) {
    return ALIAS + vlan;
  }

  /** The alias of a bridge that several VLANs may share. */
  static String sharedAlias(String bridge) {
    return alias(BRIDGES + bridge);
  }

  /** Whether VLANs may share this bridge of ours. */
  static boolean isShared(KernelLink link) {
    return link.alias().startsWith(ALIAS + BRIDGES);
  }

  /** Whether it was made by us. */
  public static boolean isOurs(KernelLink link) {
    return link.alias().startsWith(ALIAS);
  }

  /**
   * The alias that a link is known by. It can't be given with the creation, and the group can: so a
   * link in a group of ours is ours without saying for what, after a crash between the two, and
   * after somebody gave it an alias of his own.
   */
  static String aliasOf(String alias, int group) {
    boolean ours = group == GROUP || PortGroup.vni(group).isPresent();
    return ours && !alias.startsWith(ALIAS) ? NAMELESS : alias;
  }

  /** Whether it is ours and does not say for what. */
  static boolean isNameless(KernelLink link) {
    return link.alias().equals(NAMELESS);
  }

  /** The label of our addresses on a bridge of the user's. */
  static String label(String bridge) {
    return bridge + LABEL;
  }

  /** The VLAN that one of our links serves, or served; of a shared bridge a word of its own. */
  static String vlan(KernelLink link) {
    return link.alias().substring(ALIAS.length());
  }
}
