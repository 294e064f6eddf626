package io.flannelvlan.netlink;

import io.flannelvlan.net.MacAddress;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** A network interface as the kernel reports it. */
public sealed interface Link {

  /** What every kind of link has. */
  Common common();

  /** A bridge. */
  record Bridge(Common common) implements Link {}

  /** A VXLAN device. */
  record Vxlan(Common common, Tunnel tunnel) implements Link {}

  /**
   * One end of a veth pair.
   *
   * @param peer index of the other end, in the namespace where that is
   * @param peerNamespace the kernel's id of that namespace, if it is not this one
   */
  record Veth(Common common, int peer, OptionalInt peerNamespace) implements Link {}

  /**
   * Any other link.
   *
   * @param kind the driver's kind; empty for physical links and the loopback
   */
  record Other(Common common, Optional<String> kind) implements Link {}

  /**
   * Properties of every link.
   *
   * @param index the kernel's number for it, never reused while it exists
   * @param mac empty for links without an Ethernet address
   * @param queueLength how many packets may wait for it
   * @param up administratively up; says nothing about the carrier
   * @param master index of its bridge (or bond, VRF…)
   * @param group 0 unless it was put into one
   * @param addrGenMode empty where IPv6 is off
   * @param hairpin as a bridge's port: frames may leave by the port they came in
   * @param groupForward as a bridge's port: which reserved group addresses are forwarded, as bits
   */
  record Common(
      int index,
      String name,
      Optional<MacAddress> mac,
      int mtu,
      int queueLength,
      boolean up,
      OptionalInt master,
      Optional<String> alias,
      int group,
      Optional<AddrGenMode> addrGenMode,
      Ipv4Settings ipv4,
      boolean hairpin,
      int groupForward) {}

  default int index() {
    return common().index();
  }

  default String name() {
    return common().name();
  }

  default Optional<MacAddress> mac() {
    return common().mac();
  }

  default int mtu() {
    return common().mtu();
  }

  default boolean up() {
    return common().up();
  }

  default OptionalInt master() {
    return common().master();
  }

  default Optional<String> alias() {
    return common().alias();
  }

  default int group() {
    return common().group();
  }

  default Optional<AddrGenMode> addrGenMode() {
    return common().addrGenMode();
  }

  default Ipv4Settings ipv4() {
    return common().ipv4();
  }

  /** Those of the wanted settings that the link does not have. */
  default List<LinkSetting> missing(List<LinkSetting> wanted) {
    return wanted.stream().filter(setting -> !setting.holdsFor(this)).toList();
  }
}
