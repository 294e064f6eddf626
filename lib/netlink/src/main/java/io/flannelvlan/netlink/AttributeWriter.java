package io.flannelvlan.netlink;

import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * Builds a payload: the type's fixed header, then attributes. The layout is in {@link
 * AttributeReader}; like iproute2 it leaves the flag of nested attributes off, which every kernel
 * accepts on these messages.
 */
final class AttributeWriter {

  private static final int HEADER = 4;

  /** The length field has 16 bits. */
  private static final int MAX_LENGTH = 0xffff;

  private ByteBuffer out = ByteBuffer.allocate(256).order(ByteOrder.nativeOrder());

  /** Appends the fixed header, or any raw bytes, padded. */
  AttributeWriter raw(ByteBuffer bytes) {
    int length = bytes.remaining();
    room(Align.up(length));
    out.put(bytes.duplicate()).put(new byte[Align.up(length) - length]);
    return this;
  }

  AttributeWriter u8(int type, int value) {
    return bytes(type, new byte[] {(byte) value});
  }

  AttributeWriter u16BigEndian(int type, int value) {
    return bytes(type, new byte[] {(byte) (value >> 8), (byte) value});
  }

  AttributeWriter u16(int type, int value) {
    header(type, 2);
    out.putShort((short) value).putShort((short) 0);
    return this;
  }

  AttributeWriter u32(int type, int value) {
    header(type, 4);
    out.putInt(value);
    return this;
  }

  /** An attribute without a value: its presence is the message. */
  AttributeWriter flag(int type) {
    return bytes(type, new byte[0]);
  }

  /** Text with the NUL that most attributes want. */
  AttributeWriter string(int type, String value) {
    return bytes(type, (value + '\0').getBytes(StandardCharsets.UTF_8));
  }

  /** Text without a NUL. */
  AttributeWriter unterminated(int type, String value) {
    return bytes(type, value.getBytes(StandardCharsets.UTF_8));
  }

  AttributeWriter ip(int type, IpAddress address) {
    return bytes(type, address.bytes());
  }

  AttributeWriter mac(int type, MacAddress mac) {
    return bytes(type, mac.bytes());
  }

  AttributeWriter bytes(int type, byte[] value) {
    header(type, value.length);
    out.put(value).put(new byte[Align.up(value.length) - value.length]);
    return this;
  }

  /** An attribute whose value is what {@code content} writes. */
  AttributeWriter nested(int type, Consumer<AttributeWriter> content) {
    int start = out.position();
    header(type, 0);
    content.accept(this);
    int length = checked(type, out.position() - start);
    out.putShort(start, (short) length);
    return this;
  }

  /** The finished payload, ready to be read. */
  ByteBuffer payload() {
    return out.duplicate().order(ByteOrder.nativeOrder()).flip();
  }

  private void header(int type, int valueLength) {
    int length = checked(type, HEADER + valueLength);
    room(Align.up(length));
    out.putShort((short) length).putShort((short) type);
  }

  private static int checked(int type, int length) {
    if (length > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "attribute %d would have %d bytes, more than %d".formatted(type, length, MAX_LENGTH));
    }
    return length;
  }

  private void room(int needed) {
    if (out.remaining() < needed) {
      int capacity = Math.max(out.capacity() * 2, out.position() + needed);
      out = ByteBuffer.allocate(capacity).order(ByteOrder.nativeOrder()).put(out.flip());
    }
  }
}
