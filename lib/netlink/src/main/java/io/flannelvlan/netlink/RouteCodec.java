package io.flannelvlan.netlink;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.IpAddress.Family;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Routes as messages {@code RTM_NEWROUTE}, {@code RTM_GETROUTE}, {@code RTM_DELROUTE}.
 *
 * <pre>
 *  0        1     2     3     4       5       6       7      8       12
 *  +--------+-----+-----+-----+-------+-------+-------+------+-------+
 *  | family | dst | src | tos | table | proto | scope | type | flags |     struct rtmsg
 *  +--------+-----+-----+-----+-------+-------+-------+------+-------+
 *  dst, src: prefix lengths; a table above 255 is 0 here and stands in RTA_TABLE
 * </pre>
 */
final class RouteCodec {

  static final int HEADER = 12;
  static final int OIF = 4;

  private static final int DST = 1;
  private static final int GATEWAY = 5;
  private static final int PRIORITY = 6;
  private static final int PREFSRC = 7;
  private static final int TABLE = 15;

  /** {@code struct rtvia {u16 family; u8 address[];}}: an IPv6 gateway of an IPv4 route. */
  private static final int VIA = 18;

  private static final int RTNH_F_ONLINK = 4;

  /** A copy of a route made for one destination; not a route that anyone has put there. */
  private static final int RTM_F_CLONED = 0x200;

  private RouteCodec() {}

  /** Writes in iproute2's order. */
  static ByteBuffer write(Route route) {
    Cidr destination = route.destination();
    AttributeWriter out =
        new AttributeWriter()
            .raw(
                header(destination.base().family(), route.table())
                    .put(1, (byte) destination.length())
                    .put(5, (byte) route.protocol())
                    .put(6, (byte) route.scope())
                    .put(7, (byte) route.type().number())
                    .putInt(8, route.onlink() ? RTNH_F_ONLINK : 0));
    if (destination.length() > 0) {
      out.ip(DST, destination.base());
    }
    route.gateway().ifPresent(gateway -> writeGateway(destination.base().family(), gateway, out));
    route.source().ifPresent(source -> out.ip(PREFSRC, source));
    if (route.metric() != 0) {
      out.u32(PRIORITY, route.metric());
    }
    route.link().ifPresent(link -> out.u32(OIF, link));
    if (route.table() > 255) {
      out.u32(TABLE, route.table());
    }
    return out.payload();
  }

  private static void writeGateway(Family family, IpAddress gateway, AttributeWriter out) {
    if (gateway.family() == family) {
      out.ip(GATEWAY, gateway);
      return;
    }
    byte[] address = gateway.bytes();
    ByteBuffer via = ByteBuffer.allocate(2 + address.length).order(ByteOrder.nativeOrder());
    out.bytes(VIA, via.putShort((short) AddressCodec.familyOf(gateway)).put(address).array());
  }

  /** Asks for what the filter wants; older kernels send more. */
  static ByteBuffer all(RouteFilter filter) {
    AttributeWriter out =
        new AttributeWriter()
            .raw(
                header(filter.family(), filter.table().orElse(0))
                    .put(5, (byte) filter.protocol().orElse(0)));
    filter.table().ifPresent(table -> out.u32(TABLE, table));
    filter.link().ifPresent(link -> out.u32(OIF, link));
    return out.payload();
  }

  /** The route, unless it is a cached copy or of a kind that is not one of ours. */
  static Optional<Route> read(Message message) {
    AttributeReader in = message.attributes(HEADER);
    ByteBuffer header = message.payload();
    int family = Byte.toUnsignedInt(header.get(0));
    int flags = header.getInt(8);
    boolean known = family == FamilyCodec.AF_INET || family == FamilyCodec.AF_INET6;
    Optional<Route.Type> type = Route.Type.of(Byte.toUnsignedInt(header.get(7)));
    if (!known || (flags & RTM_F_CLONED) != 0 || type.isEmpty()) {
      return Optional.empty();
    }
    Fields fields = new Fields(header, family);
    while (in.next()) {
      fields.take(in);
    }
    return Optional.of(
        new Route(
            fields.destination(Byte.toUnsignedInt(header.get(1))),
            fields.table,
            Byte.toUnsignedInt(header.get(5)),
            Byte.toUnsignedInt(header.get(6)),
            type.get(),
            fields.gateway,
            fields.link == 0 ? OptionalInt.empty() : OptionalInt.of(fields.link),
            (flags & RTNH_F_ONLINK) != 0,
            fields.source,
            fields.metric));
  }

  private static ByteBuffer header(Family family, int table) {
    int number = family == Family.IPV4 ? FamilyCodec.AF_INET : FamilyCodec.AF_INET6;
    return ByteBuffer.allocate(HEADER)
        .order(ByteOrder.nativeOrder())
        .put(0, (byte) number)
        .put(4, (byte) (table > 255 ? 0 : table));
  }

  /** The attributes of one route while they are read. */
  private static final class Fields {
    private IpAddress base;
    private int table;
    private Optional<IpAddress> gateway = Optional.empty();
    private Optional<IpAddress> source = Optional.empty();
    private int link;
    private int metric;

    Fields(ByteBuffer header, int family) {
      this.table = Byte.toUnsignedInt(header.get(4));
      this.base = IpAddress.of(new byte[family == FamilyCodec.AF_INET ? 4 : 16]);
    }

    void take(AttributeReader in) {
      switch (in.type()) {
        case DST -> base = in.ip();
        case GATEWAY -> gateway = Optional.of(in.ip());
        case VIA -> gateway = via(in.bytes());
        case PREFSRC -> source = Optional.of(in.ip());
        case PRIORITY -> metric = in.u32();
        case OIF -> link = in.u32();
        case TABLE -> table = in.u32();
        default -> {}
      }
    }

    private static Optional<IpAddress> via(byte[] value) {
      if (value.length != 2 + 4 && value.length != 2 + 16) {
        throw new MalformedMessageException("gateway of " + value.length + " bytes");
      }
      return Optional.of(IpAddress.of(Arrays.copyOfRange(value, 2, value.length)));
    }

    Cidr destination(int length) {
      if (length > base.family().bits()) {
        throw new MalformedMessageException("route to " + base + " with prefix length " + length);
      }
      return Cidr.around(base, length);
    }
  }
}
