package io.flannelvlan.flannel;

import io.flannelvlan.net.Vni;
import java.util.OptionalInt;

/**
 * How a VLAN's packets travel.
 *
 * @param port UDP port
 * @param mtu MTU of the underlay; empty: that of the interface. The VXLAN link gets 50 less
 * @param gbp group policy extension
 * @param learning the kernel learns the FDB
 * @param directRouting plain routes to peers on the same layer 2
 */
public record Vxlan(
    Vni vni, int port, OptionalInt mtu, boolean gbp, boolean learning, boolean directRouting) {

  /** What the kernel takes when flannel names no port. */
  public static final int DEFAULT_PORT = 8472;

  /** IPv4's least MTU of 68 and the 50 bytes of encapsulation. */
  private static final int LEAST_MTU = 118;

  public Vxlan {
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("Port " + port + " is outside 1…65535");
    }
    if (mtu.isPresent() && (mtu.getAsInt() < LEAST_MTU || mtu.getAsInt() > 65535)) {
      throw new IllegalArgumentException(
          "MTU " + mtu.getAsInt() + " is outside " + LEAST_MTU + "…65535");
    }
  }

  /** VXLAN with flannel's defaults. */
  public static Vxlan of(Vni vni) {
    return new Vxlan(vni, DEFAULT_PORT, OptionalInt.empty(), false, false, false);
  }
}
