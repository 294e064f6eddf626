package io.flannelvlan.ipam;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.net.Cidr;

/**
 * The id under which dockerd keeps a pool, {@code flannelvlan/10.2.0.0/16}.
 *
 * <p>It explains itself: ranges of VLANs never overlap, so the range names the VLAN, whatever was
 * restarted or lost since.
 */
record PoolId(Cidr range) {

  /**
   * Reads the id back.
   *
   * @throws Refused if it is none of ours
   */
  static PoolId parse(String text) {
    String prefix = Pools.ADDRESS_SPACE + "/";
    if (text.startsWith(prefix)) {
      try {
        return new PoolId(Cidr.parse(text.substring(prefix.length())));
      } catch (IllegalArgumentException _) {
        // The one message below serves both.
      }
    }
    throw new Refused(
        "PoolID \""
            + text
            + "\" is none of flannelvlan's, which look like "
            + prefix
            + "10.2.0.0/16");
  }

  @Override
  public String toString() {
    return Pools.ADDRESS_SPACE + "/" + range;
  }
}
