package io.flannelvlan.firewall;

import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** An Ethernet frame as an attacker may make it. */
final class Frame {

  static final MacAddress EVERYBODY = MacAddress.parse("ff:ff:ff:ff:ff:ff");

  private static final int IPV4 = 0x0800;
  private static final int ARP = 0x0806;
  private static final int TAGGED = 0x8100;
  private static final int IPV6 = 0x86dd;
  private static final int UDP = 17;

  private final byte[] bytes;

  private Frame(byte[] bytes) {
    this.bytes = bytes;
  }

  byte[] bytes() {
    return bytes.clone();
  }

  private static Frame of(MacAddress to, MacAddress from, int type, byte[] payload) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(to.bytes());
    out.writeBytes(from.bytes());
    out.write(type >> 8);
    out.write(type);
    out.writeBytes(payload);
    // The shortest frame that Ethernet knows.
    out.writeBytes(new byte[Math.max(0, 60 - out.size())]);
    return new Frame(out.toByteArray());
  }

  /** A UDP packet with this text to port 9. */
  static Frame udp(MacAddress to, MacAddress from, String source, String target, String text) {
    return of(to, from, IPV4, packet(source, target, text));
  }

  /** The same with an 802.1Q tag. */
  static Frame tagged(MacAddress to, MacAddress from, String source, String target, String text) {
    byte[] packet = packet(source, target, text);
    ByteBuffer payload = ByteBuffer.allocate(4 + packet.length);
    payload.putShort((short) 7).putShort((short) IPV4).put(packet);
    return of(to, from, TAGGED, payload.array());
  }

  /** From fe80::1 to all nodes, and behind the header nothing that has a meaning. */
  static Frame ipv6(MacAddress to, MacAddress from, String text) {
    ByteBuffer packet = ByteBuffer.allocate(40 + text.length());
    packet.putInt(0x60000000).putShort((short) text.length()).put((byte) 59).put((byte) 1);
    packet.putLong(0xfe80L << 48).putLong(1).putLong(0xff02L << 48).putLong(1);
    return of(to, from, IPV6, packet.put(text.getBytes(StandardCharsets.US_ASCII)).array());
  }

  /**
   * <pre>
   *  | 1 (Ethernet) | 0x0800 | 6, 4 | 1 request, 2 reply | sender MAC, IP | target MAC, IP |
   * </pre>
   *
   * <p>The text follows, where nobody looks.
   */
  static Frame arp(
      MacAddress to, MacAddress from, boolean reply, String source, String target, String text) {
    ByteBuffer payload = ByteBuffer.allocate(28 + text.length());
    payload.putShort((short) 1).putShort((short) IPV4).put((byte) 6).put((byte) 4);
    payload.putShort((short) (reply ? 2 : 1));
    payload.put(from.bytes()).put(IpAddress.parse(source).bytes());
    payload.put(to.bytes()).put(IpAddress.parse(target).bytes());
    return of(to, from, ARP, payload.put(text.getBytes(StandardCharsets.US_ASCII)).array());
  }

  private static byte[] packet(String source, String target, String text) {
    byte[] data = text.getBytes(StandardCharsets.US_ASCII);
    ByteBuffer packet = ByteBuffer.allocate(28 + data.length);
    packet.put((byte) 0x45).put((byte) 0).putShort((short) packet.capacity()).putInt(0);
    packet.put((byte) 64).put((byte) UDP).putShort((short) 0);
    packet.put(IpAddress.parse(source).bytes()).put(IpAddress.parse(target).bytes());
    packet.putShort(10, checksum(packet));
    // A checksum of zero: the sender made none.
    packet.putShort((short) 9).putShort((short) 9).putShort((short) (8 + data.length));
    return packet.putShort((short) 0).put(data).array();
  }

  private static short checksum(ByteBuffer header) {
    int sum = 0;
    for (int i = 0; i < 20; i += 2) {
      sum += Short.toUnsignedInt(header.getShort(i));
    }
    return (short) ~((sum & 0xffff) + (sum >> 16));
  }
}
