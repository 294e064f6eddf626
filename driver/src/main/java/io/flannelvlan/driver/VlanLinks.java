package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.kernel.Underlay;
import io.flannelvlan.flannel.Vlan;

/**
 * How a VLAN looks on this host; the journal's record. All Docker networks of the VLAN share it.
 *
 * @param underlay name of the link that carries the tunnel
 * @param mtu of the bridge, the vxlan link and the containers' links, in bytes
 * @param internal no way to and from the outside
 */
record VlanLinks(String vlan, String underlay, int mtu, String bridge, boolean internal) {

  /**
   * What the user asked for, with everything else as it follows from the VLAN and the underlay.
   *
   * @throws Refused if the MTU asked for does not fit, or the bridge can't have that name
   */
  static VlanLinks of(Vlan vlan, NetworkOptions options, Underlay underlay, boolean internal) {
    String bridge = options.bridge().orElse(LinkNames.bridge(vlan.vni()));
    if (!LinkNames.isFreeForBridge(bridge, vlan.vni())) {
      throw new Refused(
          "option bridge: \"" + bridge + "\" is a name that flannelvlan gives to other links");
    }
    return new VlanLinks(
        vlan.name(), underlay.link(), mtu(vlan, options, underlay), bridge, internal);
  }

  /** flannel's config may say what the hosts' network carries, when the links themselves don't. */
  private static int mtu(Vlan vlan, NetworkOptions options, Underlay underlay) {
    int carried = Math.min(underlay.mtu(), vlan.config().backend().mtu().orElse(underlay.mtu()));
    int largest = carried - Underlay.OVERHEAD;
    int mtu = options.mtu().orElse(largest);
    if (mtu > largest) {
      throw new Refused(
          "mtu "
              + mtu
              + " is too large: "
              + (carried < underlay.mtu() ? "VLAN " + vlan.name() : underlay.link())
              + " has "
              + carried
              + ", less "
              + Underlay.OVERHEAD
              + " for the tunnel leaves "
              + largest);
    }
    return mtu;
  }

  /**
   * Refuses a further network whose wishes differ from the links that are there.
   *
   * @param wished what it would get if it were the first
   */
  void requireAgreement(VlanLinks wished) {
    if (!equals(wished)) {
      throw new Refused(
          "VLAN "
              + vlan
              + " is on this host already, with other settings: "
              + this
              + ", asked for "
              + wished
              + ". Give the same ones, or remove its other Docker network first");
    }
  }

  /**
   * Refuses a bridge that another VLAN has: both VLANs' containers would be on it.
   *
   * @param other the links of another VLAN on this host
   */
  void requireOwnBridge(VlanLinks other) {
    if (!other.vlan.equals(vlan) && other.bridge.equals(bridge)) {
      throw new Refused("option bridge: \"" + bridge + "\" is the bridge of VLAN " + other.vlan);
    }
  }

  @Override
  public String toString() {
    return "iface "
        + underlay
        + ", mtu "
        + mtu
        + ", bridge "
        + bridge
        + (internal ? ", internal" : ", not internal");
  }
}
