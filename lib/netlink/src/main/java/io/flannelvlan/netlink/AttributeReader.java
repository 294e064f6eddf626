package io.flannelvlan.netlink;

import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Walks over attributes. Every length is checked before it is believed, and each step moves on by
 * at least a header, so that no input reads past the end or loops for ever.
 *
 * <pre>
 *  0        2      4
 *  +--------+------+---------+---------+
 *  | length | type | value   | padding |     struct nlattr, host byte order
 *  +--------+------+---------+---------+
 *  length: header and value; type: bit 15 nested, bit 14 big-endian value
 * </pre>
 *
 * <p>Usage: {@code while (attributes.next()) switch (attributes.type()) { … attributes.u32() … }}.
 */
final class AttributeReader {

  private static final int HEADER = 4;
  private static final int TYPE_MASK = 0x3fff;

  private final ByteBuffer in;
  private int type;
  private int start;
  private int length;

  AttributeReader(ByteBuffer attributes) {
    this.in = attributes.slice().order(ByteOrder.nativeOrder());
  }

  /**
   * Moves to the next attribute.
   *
   * @return false behind the last one
   */
  boolean next() {
    int remaining = in.remaining();
    if (remaining == 0) {
      return false;
    }
    int position = in.position();
    int total = remaining < HEADER ? 0 : Short.toUnsignedInt(in.getShort(position));
    if (total < HEADER || total > remaining) {
      throw new MalformedMessageException(
          "attribute of length %d where %d bytes remain".formatted(total, remaining));
    }
    type = Short.toUnsignedInt(in.getShort(position + 2)) & TYPE_MASK;
    start = position + HEADER;
    length = total - HEADER;
    in.position(position + Math.min(Align.up(total), remaining));
    return true;
  }

  int type() {
    return type;
  }

  /** Bytes of the value. */
  int length() {
    return length;
  }

  int u8() {
    require(1);
    return Byte.toUnsignedInt(in.get(start));
  }

  int u16() {
    require(2);
    return Short.toUnsignedInt(in.getShort(start));
  }

  int u16BigEndian() {
    require(2);
    return Byte.toUnsignedInt(in.get(start)) << 8 | Byte.toUnsignedInt(in.get(start + 1));
  }

  /** A 32-bit number; those that the kernel means unsigned and we use all fit 31 bits. */
  int u32() {
    require(4);
    return in.getInt(start);
  }

  /** Text up to the first NUL or the end: the kernel writes both kinds. */
  String string() {
    byte[] bytes = bytes();
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, 0, end, StandardCharsets.UTF_8);
  }

  byte[] bytes() {
    byte[] bytes = new byte[length];
    in.get(start, bytes);
    return bytes;
  }

  /** An address of 4 or 16 bytes. */
  IpAddress ip() {
    if (length != 4 && length != 16) {
      throw malformed("an IP address");
    }
    return IpAddress.of(bytes());
  }

  /** The hardware address, if it is one of Ethernet: tunnels have addresses of other lengths. */
  Optional<MacAddress> mac() {
    return length == 6 ? Optional.of(MacAddress.of(bytes())) : Optional.empty();
  }

  AttributeReader nested() {
    return new AttributeReader(value());
  }

  /** The value's bytes in native order; a view, not a copy. */
  ByteBuffer value() {
    return in.slice(start, length).order(ByteOrder.nativeOrder());
  }

  private void require(int expected) {
    if (length != expected) {
      throw malformed(expected + " bytes");
    }
  }

  private MalformedMessageException malformed(String expected) {
    return new MalformedMessageException(
        "attribute %d has %d bytes instead of %s".formatted(type, length, expected));
  }
}
