package io.flannelvlan.firewall;

import io.flannelvlan.net.IpAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** What a machine on the underlay would send to inject a UDP datagram into a VLAN. */
final class VxlanPacket {

  private static final HexFormat MAC = HexFormat.ofDelimiter(":");

  private VxlanPacket() {}

  /**
   * <pre>
   *  | flags 08 | 0 0 0 | VNI (3) | 0 | dst MAC (6) | src MAC (6) | 0800 | IPv4 (20) | UDP (8) | text |
   * </pre>
   */
  static byte[] of(int vni, String targetMac, String source, String target, String text) {
    byte[] payload = text.getBytes(StandardCharsets.US_ASCII);
    ByteBuffer out = ByteBuffer.allocate(8 + 14 + 20 + 8 + payload.length);
    out.putInt(0x0800_0000).putInt(vni << 8);
    out.put(MAC.parseHex(targetMac))
        .put(MAC.parseHex("02:00:00:00:00:99"))
        .putShort((short) 0x0800);
    int ip = out.position();
    out.putShort((short) 0x4500).putShort((short) (28 + payload.length)).putInt(0);
    out.put((byte) 64).put((byte) 17).putShort((short) 0);
    out.put(IpAddress.parse(source).bytes()).put(IpAddress.parse(target).bytes());
    out.putShort(ip + 10, checksum(out, ip));
    out.putShort((short) 5555).putShort((short) Sink.PORT);
    out.putShort((short) (8 + payload.length)).putShort((short) 0); // no UDP checksum
    return out.put(payload).array();
  }

  private static short checksum(ByteBuffer packet, int start) {
    int sum = 0;
    for (int i = 0; i < 20; i += 2) {
      sum += Short.toUnsignedInt(packet.getShort(start + i));
    }
    return (short) ~((sum & 0xffff) + (sum >>> 16));
  }
}
