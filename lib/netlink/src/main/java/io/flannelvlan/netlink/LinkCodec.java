package io.flannelvlan.netlink;

import io.flannelvlan.net.MacAddress;
import io.flannelvlan.netlink.LinkSetting.Alias;
import io.flannelvlan.netlink.LinkSetting.Group;
import io.flannelvlan.netlink.LinkSetting.GroupForward;
import io.flannelvlan.netlink.LinkSetting.Hairpin;
import io.flannelvlan.netlink.LinkSetting.Ipv4;
import io.flannelvlan.netlink.LinkSetting.Ipv6;
import io.flannelvlan.netlink.LinkSetting.Mac;
import io.flannelvlan.netlink.LinkSetting.Master;
import io.flannelvlan.netlink.LinkSetting.Mtu;
import io.flannelvlan.netlink.LinkSetting.Name;
import io.flannelvlan.netlink.LinkSetting.QueueLength;
import io.flannelvlan.netlink.LinkSetting.Up;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Links as messages {@code RTM_NEWLINK}, {@code RTM_GETLINK}, {@code RTM_DELLINK}.
 *
 * <pre>
 *  0        1     2      4       8       12       16
 *  +--------+-----+------+-------+-------+--------+
 *  | family | pad | type | index | flags | change |     struct ifinfomsg, linux/rtnetlink.h
 *  +--------+-----+------+-------+-------+--------+
 *  then IFLA_*; what a kind of link has of its own is in
 *  IFLA_LINKINFO { IFLA_INFO_KIND "vxlan", IFLA_INFO_DATA { … } }
 * </pre>
 */
final class LinkCodec {

  static final int HEADER = 16;
  static final int IFNAME = 3;

  private static final int ADDRESS = 1;
  private static final int MTU = 4;
  private static final int LINK = 5;
  private static final int MASTER = 10;
  private static final int TXQLEN = 13;
  private static final int LINKINFO = 18;
  private static final int IFALIAS = 20;
  private static final int AF_SPEC = 26;
  private static final int GROUP = 27;
  private static final int NET_NS_FD = 28;
  private static final int EXT_MASK = 29;
  private static final int LINK_NETNSID = 37;

  private static final int INFO_KIND = 1;
  private static final int INFO_DATA = 2;
  private static final int INFO_SLAVE_KIND = 4;
  private static final int INFO_SLAVE_DATA = 5;
  private static final int VETH_INFO_PEER = 1;

  /** {@code IFLA_BRPORT_MODE} of {@code linux/if_link.h}: the port's hairpin mode. */
  private static final int BRPORT_MODE = 4;

  private static final int BRPORT_GROUP_FWD_MASK = 31;

  /** {@code RTEXT_FILTER_SKIP_STATS}: half of each answer would be counters. */
  private static final int SKIP_STATS = 8;

  private static final int IFF_UP = 1;

  private LinkCodec() {}

  static ByteBuffer bridge(String name, List<LinkSetting> settings) {
    return creation(name, settings)
        .nested(LINKINFO, info -> info.unterminated(INFO_KIND, "bridge"))
        .payload();
  }

  static ByteBuffer vxlan(String name, Tunnel tunnel, List<LinkSetting> settings) {
    return creation(name, settings)
        .nested(
            LINKINFO,
            info ->
                info.unterminated(INFO_KIND, "vxlan")
                    .nested(INFO_DATA, data -> TunnelCodec.write(tunnel, data)))
        .payload();
  }

  /** The peer is a whole message of its own inside the data: header, then attributes. */
  static ByteBuffer veth(
      String name, List<LinkSetting> settings, String peer, List<LinkSetting> peerSettings) {
    for (LinkSetting setting : peerSettings) {
      if (!setting.partOfCreation()) {
        throw new IllegalArgumentException(
            "the peer " + peer + " cannot be created with " + setting);
      }
    }
    ByteBuffer other = creation(peer, peerSettings).payload();
    return creation(name, settings)
        .nested(
            LINKINFO,
            info ->
                info.unterminated(INFO_KIND, "veth")
                    .nested(INFO_DATA, data -> data.nested(VETH_INFO_PEER, in -> in.raw(other))))
        .payload();
  }

  /** A change of the link with this index. */
  static ByteBuffer change(int index, List<LinkSetting> settings) {
    AttributeWriter out = header(index, settings);
    writeAll(settings, out);
    return out.payload();
  }

  /** A change of the link with this name. */
  static ByteBuffer change(Name name, List<LinkSetting> settings) {
    AttributeWriter out = header(0, settings).string(IFNAME, name.name());
    writeAll(settings, out);
    return out.payload();
  }

  static ByteBuffer move(int index, int namespaceDescriptor) {
    return header(index, List.of()).u32(NET_NS_FD, namespaceDescriptor).payload();
  }

  static ByteBuffer select(int index) {
    return header(index, List.of()).payload();
  }

  static ByteBuffer selectGroup(int group) {
    return header(0, List.of()).u32(GROUP, group).payload();
  }

  /** Asks for all links. */
  static ByteBuffer all() {
    return header(0, List.of()).u32(EXT_MASK, SKIP_STATS).payload();
  }

  /** Asks for the ports of one bridge. */
  static ByteBuffer ports(int master) {
    return header(0, List.of()).u32(EXT_MASK, SKIP_STATS).u32(MASTER, master).payload();
  }

  static ByteBuffer one(int index) {
    return header(index, List.of()).u32(EXT_MASK, SKIP_STATS).payload();
  }

  static ByteBuffer one(Name name) {
    return header(0, List.of()).u32(EXT_MASK, SKIP_STATS).string(IFNAME, name.name()).payload();
  }

  private static AttributeWriter creation(String name, List<LinkSetting> settings) {
    List<LinkSetting> now = settings.stream().filter(LinkSetting::partOfCreation).toList();
    AttributeWriter out = header(0, now);
    writeAll(now, out);
    return out.string(IFNAME, new Name(name).name());
  }

  private static AttributeWriter header(int index, List<LinkSetting> settings) {
    int flags = 0;
    int change = 0;
    for (LinkSetting setting : settings) {
      if (setting instanceof Up(boolean up)) {
        change = IFF_UP;
        flags = up ? IFF_UP : 0;
      }
    }
    return new AttributeWriter()
        .raw(
            ByteBuffer.allocate(HEADER)
                .order(ByteOrder.nativeOrder())
                .putInt(4, index)
                .putInt(8, flags)
                .putInt(12, change));
  }

  private static void writeAll(List<LinkSetting> settings, AttributeWriter out) {
    for (LinkSetting setting : settings) {
      switch (setting) {
        case Name(String name) -> out.string(IFNAME, name);
        case Mac(MacAddress mac) -> out.mac(ADDRESS, mac);
        case Mtu(int bytes) -> out.u32(MTU, bytes);
        case QueueLength(int packets) -> out.u32(TXQLEN, packets);
        case Master(int link) -> out.u32(MASTER, link);
        case Group(int number) -> out.u32(GROUP, number);
        case Alias(String text) -> out.unterminated(IFALIAS, text);
        // In the header, or together in one attribute below.
        case Up _, Ipv4 _, Ipv6 _, Hairpin _, GroupForward _ -> {}
      }
    }
    if (settings.stream().anyMatch(setting -> setting instanceof Ipv4 || setting instanceof Ipv6)) {
      out.nested(AF_SPEC, families -> FamilyCodec.write(settings, families));
    }
    if (settings.stream().anyMatch(s -> s instanceof Hairpin || s instanceof GroupForward)) {
      out.nested(LINKINFO, info -> writePort(settings, info));
    }
  }

  private static void writePort(List<LinkSetting> settings, AttributeWriter info) {
    info.unterminated(INFO_SLAVE_KIND, "bridge")
        .nested(
            INFO_SLAVE_DATA,
            port -> {
              for (LinkSetting setting : settings) {
                if (setting instanceof Hairpin(boolean on)) {
                  port.u8(BRPORT_MODE, on ? 1 : 0);
                } else if (setting instanceof GroupForward(int mask)) {
                  port.u16(BRPORT_GROUP_FWD_MASK, mask);
                }
              }
            });
  }

  /** Reads the link that a message of type {@code RTM_NEWLINK} describes. */
  static Link read(Message message) {
    AttributeReader in = message.attributes(HEADER);
    int index = message.payload().getInt(4);
    boolean up = (message.payload().getInt(8) & IFF_UP) != 0;
    Fields fields = new Fields();
    while (in.next()) {
      fields.take(in);
    }
    return fields.link(index, up);
  }

  /** The attributes of one link while they are read. */
  private static final class Fields {
    private String name = "";
    private Optional<MacAddress> mac = Optional.empty();
    private int mtu;
    private int queueLength;
    private int master;
    private int group;
    private int other;
    private String alias = "";
    private OptionalInt namespace = OptionalInt.empty();
    private Optional<String> kind = Optional.empty();
    private Optional<Tunnel> tunnel = Optional.empty();
    private boolean hairpin;
    private int groupForward;
    private FamilyCodec.Families families = FamilyCodec.Families.NONE;

    void take(AttributeReader in) {
      switch (in.type()) {
        case ADDRESS -> mac = in.mac();
        case IFNAME -> name = in.string();
        case MTU -> mtu = in.u32();
        case TXQLEN -> queueLength = in.u32();
        case LINK -> other = in.u32();
        case MASTER -> master = in.u32();
        case GROUP -> group = in.u32();
        case IFALIAS -> alias = in.string();
        case LINK_NETNSID -> namespace = OptionalInt.of(in.u32());
        case LINKINFO -> takeKind(in.nested());
        case AF_SPEC -> families = FamilyCodec.read(in.nested());
        default -> {}
      }
    }

    /** The kernel writes the kind before the data. */
    private void takeKind(AttributeReader info) {
      while (info.next()) {
        if (info.type() == INFO_KIND) {
          kind = Optional.of(info.string());
        } else if (info.type() == INFO_DATA && kind.equals(Optional.of("vxlan"))) {
          tunnel = Optional.of(TunnelCodec.read(info.nested()));
        } else if (info.type() == INFO_SLAVE_DATA) {
          takePort(info.nested());
        }
      }
    }

    /** A port of another master than a bridge has no such attributes of that size. */
    private void takePort(AttributeReader port) {
      while (port.next()) {
        if (port.type() == BRPORT_MODE && port.length() == 1) {
          hairpin = port.u8() != 0;
        } else if (port.type() == BRPORT_GROUP_FWD_MASK && port.length() == 2) {
          groupForward = port.u16();
        }
      }
    }

    Link link(int index, boolean up) {
      Link.Common common =
          new Link.Common(
              index,
              name,
              mac,
              mtu,
              queueLength,
              up,
              master == 0 ? OptionalInt.empty() : OptionalInt.of(master),
              alias.isEmpty() ? Optional.empty() : Optional.of(alias),
              group,
              families.addrGenMode(),
              families.ipv4(),
              hairpin,
              groupForward);
      if (tunnel.isPresent()) {
        return new Link.Vxlan(common, tunnel.get());
      }
      return switch (kind.orElse("")) {
        case "bridge" -> new Link.Bridge(common);
        case "veth" -> new Link.Veth(common, other, namespace);
        default -> new Link.Other(common, kind);
      };
    }
  }
}
