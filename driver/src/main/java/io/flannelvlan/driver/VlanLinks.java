package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.kernel.Underlay;
import io.flannelvlan.net.Vni;

/**
 * How a VLAN looks on this host; the journal's record. All Docker networks of the VLAN share it.
 *
 * @param underlay name of the link that carries the tunnel
 * @param mtu of the bridge, the vxlan link and the containers' links, in bytes
 * @param internal no way to and from the outside
 */
record VlanLinks(String vlan, String underlay, int mtu, String bridge, boolean internal) {

  /**
   * What the user asked for, with everything else as it follows from the underlay.
   *
   * @throws Refused if the MTU asked for does not fit into the underlay's
   */
  static VlanLinks of(
      String vlan, Vni vni, NetworkOptions options, Underlay underlay, boolean internal) {
    int largest = underlay.mtu() - Underlay.OVERHEAD;
    int mtu = options.mtu().orElse(largest);
    if (mtu > largest) {
      throw new Refused(
          "mtu "
              + mtu
              + " is too large: "
              + underlay.link()
              + " has "
              + underlay.mtu()
              + ", less "
              + Underlay.OVERHEAD
              + " for the tunnel leaves "
              + largest);
    }
    return new VlanLinks(
        vlan, underlay.link(), mtu, options.bridge().orElse(LinkNames.bridge(vni)), internal);
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
