package io.flannelvlan.firewall;

import static io.flannelvlan.firewall.Native.call;
import static io.flannelvlan.firewall.Native.function;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.flannelvlan.net.IpAddress;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.CRC32C;

/** SCTP packets on a raw socket: enough to see where the first one of an association goes. */
final class RawSctp implements AutoCloseable {

  private static final MethodHandle SOCKET =
      function("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle SEND =
      function("sendto", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle RECEIVE =
      function("recv", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle POLL = function("poll", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle CLOSE = function("close", JAVA_INT, JAVA_INT);

  private static final int AF_INET = 2;
  private static final int SOCK_RAW = 3;
  private static final int POLLIN = 1;

  private final int descriptor;

  private RawSctp(int descriptor) {
    this.descriptor = descriptor;
  }

  static RawSctp open(Netns namespace) {
    int opened = namespace.in(() -> (int) call(SOCKET, AF_INET, SOCK_RAW, Protocol.SCTP.number()));
    if (opened < 0) {
      throw new IllegalStateException("cannot open a raw socket");
    }
    return new RawSctp(opened);
  }

  /**
   * <pre>
   *  | source port | target port | tag 0 | CRC32C, little-endian |
   *  | type 1 (INIT), flags 0, length 20 | initiate tag | window | streams out, in | first TSN |
   * </pre>
   */
  void sendInit(String target, int port) {
    ByteBuffer packet = ByteBuffer.allocate(32);
    packet.putShort((short) 5555).putShort((short) port).putInt(0).putInt(0);
    packet.put((byte) 1).put((byte) 0).putShort((short) 20);
    packet.putInt(1).putInt(65536).putShort((short) 1).putShort((short) 1).putInt(1);
    CRC32C checksum = new CRC32C();
    checksum.update(packet.array());
    packet.order(ByteOrder.LITTLE_ENDIAN).putInt(8, (int) checksum.getValue());
    ByteBuffer address = ByteBuffer.allocate(16).order(ByteOrder.nativeOrder());
    address.putShort((short) AF_INET).putShort((short) 0).put(IpAddress.parse(target).bytes());
    try (Arena arena = Arena.ofConfined()) {
      long sent =
          (long)
              call(
                  SEND,
                  descriptor,
                  arena.allocateFrom(JAVA_BYTE, packet.array()),
                  (long) packet.capacity(),
                  0,
                  arena.allocateFrom(JAVA_BYTE, address.array()),
                  address.capacity());
      if (sent != packet.capacity()) {
        throw new IllegalStateException("cannot send to " + target);
      }
    }
  }

  /**
   * What the next packet is, from whom, and to which port; a raw socket shows the IP header too.
   */
  String receive() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment wanted = arena.allocate(8);
      wanted.set(JAVA_INT, 0, descriptor);
      wanted.set(JAVA_INT, 4, POLLIN);
      if ((int) call(POLL, wanted, 1L, 3000) != 1) {
        return "nothing";
      }
      MemorySegment buffer = arena.allocate(2000);
      int length = (int) (long) call(RECEIVE, descriptor, buffer, buffer.byteSize(), 0);
      byte[] packet = buffer.asSlice(0, length).toArray(JAVA_BYTE);
      int sctp = (packet[0] & 15) * 4;
      ByteBuffer in = ByteBuffer.wrap(packet);
      return (packet[sctp + 12] == 1 ? "INIT" : "chunk " + packet[sctp + 12])
          + " from "
          + IpAddress.of(Arrays.copyOfRange(packet, 12, 16))
          + " to port "
          + Short.toUnsignedInt(in.getShort(sctp + 2));
    }
  }

  @Override
  public void close() {
    call(CLOSE, descriptor);
  }
}
