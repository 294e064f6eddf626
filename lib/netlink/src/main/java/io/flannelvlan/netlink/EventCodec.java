package io.flannelvlan.netlink;

import io.flannelvlan.netlink.Event.AddressChanged;
import io.flannelvlan.netlink.Event.LinkChanged;
import io.flannelvlan.netlink.Event.NeighborChanged;
import io.flannelvlan.netlink.Event.NftablesChanged;
import io.flannelvlan.netlink.Event.RouteChanged;
import io.flannelvlan.netlink.Event.SettingChanged;
import java.util.Optional;
import java.util.OptionalInt;

/** Notifications as events; only what an event holds is read. */
final class EventCodec {

  /** {@code NFNL_SUBSYS_NFTABLES}: the high byte of a netfilter message's type. */
  private static final int NFTABLES = 10;

  /** {@code struct netconfmsg} of linux/netconf.h, padded: the family alone. */
  private static final int NETCONF_HEADER = 4;

  private static final int NETCONFA_IFINDEX = 1;

  private EventCodec() {}

  static Optional<Event> readRtnetlink(Message message) {
    return switch (message.type()) {
      case Message.NEWLINK, Message.DELLINK -> Optional.of(readLink(message));
      case Message.NEWADDR, Message.DELADDR -> {
        AttributeReader _ = message.attributes(AddressCodec.HEADER);
        yield Optional.of(new AddressChanged(message.payload().getInt(4)));
      }
      case Message.NEWROUTE, Message.DELROUTE -> Optional.of(readRoute(message));
      case Message.NEWNEIGH, Message.DELNEIGH -> {
        AttributeReader _ = message.attributes(NeighborCodec.HEADER);
        yield Optional.of(new NeighborChanged(message.payload().getInt(4)));
      }
      case Message.NEWNETCONF, Message.DELNETCONF -> Optional.of(readSetting(message));
      default -> Optional.empty();
    };
  }

  static Optional<Event> readNetfilter(Message message) {
    return message.type() >> 8 == NFTABLES ? Optional.of(new NftablesChanged()) : Optional.empty();
  }

  /**
   * A port that leaves its bridge is reported as {@code RTM_DELLINK} of family {@code AF_BRIDGE};
   * the link itself lives on.
   */
  private static Event readLink(Message message) {
    AttributeReader in = message.attributes(LinkCodec.HEADER);
    boolean bridgePort = message.payload().get(0) == NeighborCodec.AF_BRIDGE;
    String name = "";
    while (in.next()) {
      if (in.type() == LinkCodec.IFNAME) {
        name = in.string();
      }
    }
    boolean deleted = message.type() == Message.DELLINK && !bridgePort;
    return new LinkChanged(name, message.payload().getInt(4), deleted);
  }

  /** Below 0 stand the host's own ("all") and the defaults. */
  private static Event readSetting(Message message) {
    AttributeReader in = message.attributes(NETCONF_HEADER);
    int link = 0;
    while (in.next()) {
      if (in.type() == NETCONFA_IFINDEX) {
        link = in.u32();
      }
    }
    return new SettingChanged(link > 0 ? OptionalInt.of(link) : OptionalInt.empty());
  }

  private static Event readRoute(Message message) {
    AttributeReader in = message.attributes(RouteCodec.HEADER);
    OptionalInt link = OptionalInt.empty();
    while (in.next()) {
      if (in.type() == RouteCodec.OIF) {
        link = OptionalInt.of(in.u32());
      }
    }
    return new RouteChanged(link);
  }
}
