package io.flannelvlan.netlink;

import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.Vni;
import io.flannelvlan.netlink.Tunnel.Flag;
import java.util.EnumSet;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A Tunnel as the attributes {@code IFLA_VXLAN_*} of {@code linux/if_link.h}, inside {@code
 * IFLA_LINKINFO > IFLA_INFO_DATA}.
 */
final class TunnelCodec {

  private static final int ID = 1;
  private static final int GROUP = 2;
  private static final int LINK = 3;
  private static final int LOCAL = 4;
  private static final int LEARNING = 7;
  private static final int PROXY = 11;
  private static final int RSC = 12;
  private static final int L2MISS = 13;
  private static final int L3MISS = 14;
  private static final int PORT = 15;
  private static final int GROUP6 = 16;
  private static final int LOCAL6 = 17;
  private static final int GBP = 23;
  private static final int COLLECT_METADATA = 25;
  private static final int GPE = 27;
  private static final int VNIFILTER = 30;

  /** Linux' own default, from before IANA gave VXLAN 4789. */
  private static final int DEFAULT_PORT = 8472;

  private TunnelCodec() {}

  /** Writes in iproute2's order. Learning is always said, because it is on by default. */
  static void write(Tunnel tunnel, AttributeWriter out) {
    tunnel.underlay().ifPresent(link -> out.u32(LINK, link));
    tunnel.flags().forEach(flag -> writeFlag(flag, out));
    tunnel.vni().ifPresent(vni -> out.u32(ID, vni.number()));
    tunnel.group().ifPresent(group -> out.ip(group.isIpv4() ? GROUP : GROUP6, group));
    tunnel.local().ifPresent(local -> out.ip(local.isIpv4() ? LOCAL : LOCAL6, local));
    out.u8(LEARNING, tunnel.flags().contains(Flag.LEARNING) ? 1 : 0);
    out.u16BigEndian(PORT, tunnel.port());
  }

  private static void writeFlag(Flag flag, AttributeWriter out) {
    switch (flag) {
      case LEARNING -> {}
      case GBP -> out.flag(GBP);
      case GPE -> out.flag(GPE);
      case PROXY -> out.u8(PROXY, 1);
      case RSC -> out.u8(RSC, 1);
      case L2MISS -> out.u8(L2MISS, 1);
      case L3MISS -> out.u8(L3MISS, 1);
      case EXTERNAL -> out.u8(COLLECT_METADATA, 1);
      case VNIFILTER -> out.u8(VNIFILTER, 1);
    }
  }

  static Tunnel read(AttributeReader in) {
    int vni = 0;
    int underlay = 0;
    int port = DEFAULT_PORT;
    Optional<IpAddress> local = Optional.empty();
    Optional<IpAddress> group = Optional.empty();
    EnumSet<Flag> flags = EnumSet.noneOf(Flag.class);
    while (in.next()) {
      switch (in.type()) {
        case ID -> vni = in.u32();
        case LINK -> underlay = in.u32();
        case PORT -> port = in.u16BigEndian();
        case GROUP, GROUP6 -> group = unlessAny(in.ip());
        case LOCAL, LOCAL6 -> local = unlessAny(in.ip());
        default -> flagOf(in).ifPresent(flags::add);
      }
    }
    return new Tunnel(
        vni < 1 || vni > Vni.MAX ? Optional.empty() : Optional.of(new Vni(vni)),
        underlay == 0 ? OptionalInt.empty() : OptionalInt.of(underlay),
        local,
        group,
        port == 0 ? DEFAULT_PORT : port,
        flags);
  }

  private static Optional<Flag> flagOf(AttributeReader in) {
    return switch (in.type()) {
      case GBP -> Optional.of(Flag.GBP);
      case GPE -> Optional.of(Flag.GPE);
      case LEARNING -> switchedOn(in, Flag.LEARNING);
      case PROXY -> switchedOn(in, Flag.PROXY);
      case RSC -> switchedOn(in, Flag.RSC);
      case L2MISS -> switchedOn(in, Flag.L2MISS);
      case L3MISS -> switchedOn(in, Flag.L3MISS);
      case COLLECT_METADATA -> switchedOn(in, Flag.EXTERNAL);
      case VNIFILTER -> switchedOn(in, Flag.VNIFILTER);
      default -> Optional.empty();
    };
  }

  private static Optional<Flag> switchedOn(AttributeReader in, Flag flag) {
    return in.u8() != 0 ? Optional.of(flag) : Optional.empty();
  }

  private static Optional<IpAddress> unlessAny(IpAddress address) {
    return address.high() == 0 && address.low() == 0 ? Optional.empty() : Optional.of(address);
  }
}
