package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.kernel.Underlay;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.net.IpAddress;

/**
 * How a VLAN looks on this host; the journal's record. All Docker networks of the VLAN share it.
 *
 * @param underlay name of the link that carries the tunnel
 * @param local this host's address on it, which the tunnel sends from; behind an address
 *     translation the peers know another one
 * @param mtu of the bridge, the vxlan link and the containers' links, in bytes
 * @param internal no way to and from the outside
 * @param home the underlay that it began on, to which it goes back when that is there again
 * @param usersBridge whether the user had made the bridge before the first network named it
 */
record VlanLinks(
    String vlan,
    String underlay,
    IpAddress local,
    int mtu,
    String bridge,
    boolean internal,
    String home,
    boolean usersBridge) {

  /**
   * What the user asked for, with everything else as it follows from the VLAN and the underlay.
   *
   * @throws Refused if the MTU asked for does not fit
   */
  static VlanLinks of(
      Vlan vlan, NetworkOptions options, Underlay underlay, BridgeChoice bridge, boolean internal) {
    return new VlanLinks(
        vlan.name(),
        underlay.link(),
        underlay.address(),
        mtu(vlan, options, underlay),
        bridge.name(),
        internal,
        underlay.link(),
        bridge.isUsers());
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

  /** The same on another underlay; the containers' MTU is theirs for life. */
  VlanLinks on(Underlay other) {
    return new VlanLinks(
        vlan, other.link(), other.address(), mtu, bridge, internal, home, usersBridge);
  }

  /**
   * These, for a further network of the VLAN: where it began, and what its underlay carried then,
   * is no wish of the user's.
   *
   * @throws Refused if its wishes differ from the links that are there
   */
  VlanLinks forAnother(
      NetworkOptions options, Underlay on, BridgeChoice choice, boolean isInternal) {
    VlanLinks wished =
        new VlanLinks(
            vlan,
            on.link(),
            local,
            options.mtu().orElse(mtu),
            choice.name(),
            isInternal,
            home,
            usersBridge);
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
    return this;
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
