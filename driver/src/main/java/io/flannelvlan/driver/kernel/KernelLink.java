package io.flannelvlan.driver.kernel;

import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.util.Optional;

/**
 * A link as far as we compare it.
 *
 * @param master name of the bridge that it is a port of
 * @param alias empty if it has none
 * @param group 0 unless it was put into one
 */
public record KernelLink(
    String name,
    Kind kind,
    Optional<MacAddress> mac,
    int mtu,
    boolean up,
    Optional<String> master,
    String alias,
    int group) {

  /** A link in no group. */
  public KernelLink(
      String name,
      Kind kind,
      Optional<MacAddress> mac,
      int mtu,
      boolean up,
      Optional<String> master,
      String alias) {
    this(name, kind, mac, mtu, up, master, alias, 0);
  }

  /** What sort of link it is, with what only that sort has. */
  public sealed interface Kind {}

  public record Bridge() implements Kind {}

  /**
   * One end of a pair.
   *
   * @param peerAway whether the other end is in another namespace, as a sandbox has it
   */
  public record Veth(boolean peerAway) implements Kind {}

  /**
   * A VXLAN end.
   *
   * @param underlay name of the link that carries the tunnel; empty if it is bound to none
   * @param local the address that it sends from, if set
   */
  public record Vxlan(
      Vni vni, String underlay, Optional<IpAddress> local, int port, boolean learning, boolean gbp)
      implements Kind {

    @Override
    public String toString() {
      return "vxlan id "
          + vni
          + " dev "
          + underlay
          + local.map(address -> " local " + address).orElse("")
          + " dstport "
          + port
          + (learning ? " learning" : " nolearning")
          + (gbp ? " gbp" : "");
    }
  }

  /**
   * A VXLAN end as we make none; it may be in our way by its name, its VNI or its port.
   *
   * @param vni empty if it takes that from each packet
   * @param receivesOtherwise whether its port can't be shared with a link that receives as ours do
   * @param words as {@code ip -d link} shows it
   */
  public record OtherVxlan(Optional<Vni> vni, int port, boolean receivesOtherwise, String words)
      implements Kind {}

  /**
   * Any other.
   *
   * @param kind the kernel's word for it, empty for a physical link
   */
  public record Other(String kind) implements Kind {}

  KernelLink withMtu(int value) {
    return new KernelLink(name, kind, mac, value, up, master, alias, group);
  }

  KernelLink withUp() {
    return new KernelLink(name, kind, mac, mtu, true, master, alias, group);
  }

  KernelLink withMac(MacAddress value) {
    return new KernelLink(name, kind, Optional.of(value), mtu, up, master, alias, group);
  }

  KernelLink withMaster(Optional<String> value) {
    return new KernelLink(name, kind, mac, mtu, up, value, alias, group);
  }

  KernelLink withAlias(String value) {
    return new KernelLink(name, kind, mac, mtu, up, master, value, group);
  }

  KernelLink withGroup(int value) {
    return new KernelLink(name, kind, mac, mtu, up, master, alias, value);
  }
}
