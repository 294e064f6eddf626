package io.flannelvlan.firewall;

import io.flannelvlan.net.Vni;
import java.util.Optional;

/**
 * The link group of a port on a bridge that several VLANs may share: by it alone the bridge's rules
 * tell whose port a frame comes in by, and may leave by. Given in the request that makes the link,
 * so no port is ever on such a bridge without one.
 */
public final class PortGroup {

  /** Links on their way out: still ours, and nobody's port. */
  public static final int DOOMED = 26_221;

  /** Far from the small numbers that people take, and 24 bits below it are free for a VNI. */
  private static final int FIRST = 0x6600_0000;

  private static final int LAST = FIRST | 0x00ff_ffff;

  private PortGroup() {}

  /** That of this VLAN's ports. */
  public static int of(Vni vni) {
    return FIRST | vni.number();
  }

  /** The VLAN whose ports have that group; empty for any other group. */
  public static Optional<Vni> vni(int group) {
    return group > FIRST && group <= LAST ? Optional.of(new Vni(group - FIRST)) : Optional.empty();
  }

  /** Those of all VLANs, known or not, as a range. */
  static String all() {
    return FIRST + "-" + LAST;
  }
}
