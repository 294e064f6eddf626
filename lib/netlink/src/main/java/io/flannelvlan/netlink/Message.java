package io.flannelvlan.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * One netlink message.
 *
 * <pre>
 *  0        4      6       8          12     16
 *  +--------+------+-------+----------+------+---------+
 *  | length | type | flags | sequence | port | payload |     struct nlmsghdr, host byte order
 *  +--------+------+-------+----------+------+---------+
 * </pre>
 *
 * <p>The length counts the header and the payload, not the padding behind it.
 *
 * @param type {@code NLMSG_*} or {@code RTM_*}
 * @param flags {@code NLM_F_*}
 * @param sequence number of the request that this belongs to; 0 in notifications
 * @param port netlink port of whoever caused the message; 0 is the kernel
 * @param payload fixed header of the type, then attributes; a view, not a copy
 */
record Message(int type, int flags, int sequence, int port, ByteBuffer payload) {

  static final int HEADER = 16;

  static final int NOOP = 1;
  static final int ERROR = 2;
  static final int DONE = 3;
  static final int OVERRUN = 4;

  static final int NEWLINK = 16;
  static final int DELLINK = 17;
  static final int GETLINK = 18;
  static final int NEWADDR = 20;
  static final int DELADDR = 21;
  static final int GETADDR = 22;
  static final int NEWROUTE = 24;
  static final int DELROUTE = 25;
  static final int GETROUTE = 26;
  static final int NEWNEIGH = 28;
  static final int DELNEIGH = 29;
  static final int GETNEIGH = 30;
  static final int NEWNETCONF = 80;
  static final int DELNETCONF = 81;

  static final int REQUEST = 0x1;
  static final int ACK = 0x4;
  static final int DUMP_INTERRUPTED = 0x10;
  static final int DUMP = 0x300;
  static final int REPLACE = 0x100;
  static final int EXCL = 0x200;
  static final int CREATE = 0x400;

  /** In an answer of type {@link #ERROR}: the request is not repeated in it. */
  static final int CAPPED = 0x100;

  /** In an answer of type {@link #ERROR} or {@link #DONE}: the kernel's words follow. */
  static final int ACK_TLVS = 0x200;

  /**
   * Splits one datagram into its messages.
   *
   * @throws MalformedMessageException if a length is impossible; what came before it is lost too
   */
  static List<Message> parse(ByteBuffer datagram) {
    ByteBuffer in = datagram.slice().order(ByteOrder.nativeOrder());
    List<Message> messages = new ArrayList<>();
    while (in.hasRemaining()) {
      int start = in.position();
      int length = in.remaining() < HEADER ? 0 : in.getInt(start);
      if (length < HEADER || length > in.remaining()) {
        throw new MalformedMessageException(
            "netlink message of length %d where %d bytes remain".formatted(length, in.remaining()));
      }
      messages.add(
          new Message(
              Short.toUnsignedInt(in.getShort(start + 4)),
              Short.toUnsignedInt(in.getShort(start + 6)),
              in.getInt(start + 8),
              in.getInt(start + 12),
              in.slice(start + HEADER, length - HEADER).order(ByteOrder.nativeOrder())));
      in.position(start + Math.min(Align.up(length), in.remaining()));
    }
    return messages;
  }

  /** Bytes that {@link #writeTo} puts down, padding included. */
  int size() {
    return HEADER + Align.up(payload.remaining());
  }

  /** Appends the message to {@code out}, which is in native order and has room for it. */
  void writeTo(ByteBuffer out) {
    int length = HEADER + payload.remaining();
    out.putInt(length).putShort((short) type).putShort((short) flags).putInt(sequence).putInt(port);
    out.put(payload.duplicate());
    out.put(new byte[Align.up(length) - length]);
  }

  /**
   * The payload behind the fixed header of the type, as attributes.
   *
   * @throws MalformedMessageException if the payload is shorter than that header
   */
  AttributeReader attributes(int headerLength) {
    if (payload.remaining() < headerLength) {
      throw new MalformedMessageException(
          "message type %d has %d bytes, its header needs %d"
              .formatted(type, payload.remaining(), headerLength));
    }
    return new AttributeReader(payload.slice(headerLength, payload.remaining() - headerLength));
  }
}
