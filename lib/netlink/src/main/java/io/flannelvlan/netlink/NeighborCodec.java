package io.flannelvlan.netlink;

import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.netlink.Neighbor.State;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Neighbours and forwarding entries, which share the messages {@code RTM_NEWNEIGH}, {@code
 * RTM_GETNEIGH}, {@code RTM_DELNEIGH}; family {@code AF_BRIDGE} means the latter.
 *
 * <pre>
 *  0        1     4       8       10      11     12
 *  +--------+-----+-------+-------+-------+------+
 *  | family | pad | index | state | flags | type |     struct ndmsg, linux/neighbour.h
 *  +--------+-----+-------+-------+-------+------+
 * </pre>
 */
final class NeighborCodec {

  static final int HEADER = 12;
  static final int AF_BRIDGE = 7;

  private static final int NDA_DST = 1;
  private static final int NDA_LLADDR = 2;
  private static final int NDA_IFINDEX = 8;

  /** The entry is the device's own, not that of the bridge above it. */
  private static final int NTF_SELF = 2;

  private NeighborCodec() {}

  static ByteBuffer write(Neighbor neighbor) {
    AttributeWriter out =
        new AttributeWriter()
            .raw(
                header(AddressCodec.familyOf(neighbor.ip()), neighbor.link())
                    .putShort(8, (short) neighbor.state().bit()))
            .ip(NDA_DST, neighbor.ip());
    neighbor.mac().ifPresent(mac -> out.mac(NDA_LLADDR, mac));
    return out.payload();
  }

  /** "permanent" is both bits, as bridge(8) sends it; a dynamic entry is one that may age. */
  static ByteBuffer write(FdbEntry entry) {
    int state =
        entry.permanent() ? State.PERMANENT.bit() | State.NOARP.bit() : State.REACHABLE.bit();
    return new AttributeWriter()
        .raw(header(AF_BRIDGE, entry.link()).putShort(8, (short) state).put(10, (byte) NTF_SELF))
        .mac(NDA_LLADDR, entry.mac())
        .ip(NDA_DST, entry.dst())
        .payload();
  }

  /** Asks for the neighbours of both families on one link, or on all if {@code link} is 0. */
  static ByteBuffer allNeighbors(int link) {
    AttributeWriter out = new AttributeWriter().raw(header(0, 0));
    if (link != 0) {
      out.u32(NDA_IFINDEX, link);
    }
    return out.payload();
  }

  /** Asks for the forwarding entries of one link; here the index stands in the header. */
  static ByteBuffer allFdb(int link) {
    return header(AF_BRIDGE, link);
  }

  /** The neighbour, unless the message is about another family. */
  static Optional<Neighbor> readNeighbor(Message message) {
    AttributeReader in = message.attributes(HEADER);
    ByteBuffer header = message.payload();
    int family = Byte.toUnsignedInt(header.get(0));
    if (family != FamilyCodec.AF_INET && family != FamilyCodec.AF_INET6) {
      return Optional.empty();
    }
    Optional<IpAddress> ip = Optional.empty();
    Optional<MacAddress> mac = Optional.empty();
    while (in.next()) {
      switch (in.type()) {
        case NDA_DST -> ip = Optional.of(in.ip());
        case NDA_LLADDR -> mac = in.mac();
        default -> {}
      }
    }
    IpAddress known =
        ip.orElseThrow(() -> new MalformedMessageException("neighbour without address"));
    State state = State.of(Short.toUnsignedInt(header.getShort(8)));
    return Optional.of(new Neighbor(header.getInt(4), known, mac, state));
  }

  /** The forwarding entry, if it is a device's own and leads to a host. */
  static Optional<FdbEntry> readFdb(Message message) {
    AttributeReader in = message.attributes(HEADER);
    ByteBuffer header = message.payload();
    boolean own = (header.get(10) & NTF_SELF) != 0;
    if (header.get(0) != AF_BRIDGE || !own) {
      return Optional.empty();
    }
    Optional<IpAddress> dst = Optional.empty();
    Optional<MacAddress> mac = Optional.empty();
    while (in.next()) {
      switch (in.type()) {
        case NDA_DST -> dst = Optional.of(in.ip());
        case NDA_LLADDR -> mac = in.mac();
        default -> {}
      }
    }
    int link = header.getInt(4);
    boolean permanent = (header.getShort(8) & State.PERMANENT.bit()) != 0;
    if (dst.isEmpty() || mac.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(new FdbEntry(link, mac.get(), dst.get(), permanent));
  }

  private static ByteBuffer header(int family, int link) {
    return ByteBuffer.allocate(HEADER)
        .order(ByteOrder.nativeOrder())
        .put(0, (byte) family)
        .putInt(4, link);
  }
}
