package io.flannelvlan.driver;

import io.flannelvlan.driver.kernel.Mark;
import io.flannelvlan.net.Vni;
import java.util.regex.Pattern;

/** The names of our links: at most 15 bytes each, so that the kernel takes them. */
final class LinkNames {

  /** {@code flannel.} leaves seven digits. */
  private static final int LAST_WITH_FLANNELS_NAME = 9_999_999;

  /** Twelve hex digits of an id are as many as Docker's own short ids show. */
  private static final int ID_DIGITS = 12;

  private static final Pattern OURS =
      Pattern.compile("(flannel|flann|fvbr)\\.[0-9]+|f[vc][0-9a-f]{12}");

  /** The bridges that dockerd makes for its own networks, unless the user names them. */
  private static final Pattern DOCKERS = Pattern.compile("docker0|docker_gwbridge|br-[0-9a-f]{12}");

  private LinkNames() {}

  /**
   * {@code flannel.2}, as stock flanneld names it. A VNI of eight digits does not fit behind that
   * prefix, stock flanneld can't serve it, and the link is then called {@code flann.16777215}.
   */
  static String vxlan(Vni vni) {
    return (vni.number() <= LAST_WITH_FLANNELS_NAME ? "flannel." : "flann.") + vni;
  }

  static String bridge(Vni vni) {
    return Mark.BRIDGE + vni;
  }

  /**
   * Whether a bridge of this VLAN may have that name. It may not be one that we give to another
   * link, now or later: of two wishes for one link each would undo the other.
   */
  static boolean isFreeForBridge(String name, Vni vni) {
    return name.equals(bridge(vni)) || !OURS.matcher(name).matches();
  }

  /** Whether it is called as dockerd calls its bridges. */
  static boolean isDockers(String name) {
    return DOCKERS.matcher(name).matches();
  }

  /** The end of an endpoint's veth pair that stays on the host. */
  static String hostEnd(String endpointId) {
    return "fv" + head(endpointId);
  }

  /** The end that dockerd moves into the sandbox. */
  static String sandboxEnd(String endpointId) {
    return "fc" + head(endpointId);
  }

  private static String head(String id) {
    return id.substring(0, Math.min(ID_DIGITS, id.length()));
  }
}
