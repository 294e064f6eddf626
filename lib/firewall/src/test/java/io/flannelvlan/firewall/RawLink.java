package io.flannelvlan.firewall;

import static io.flannelvlan.firewall.Native.call;
import static io.flannelvlan.firewall.Native.function;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.net.NetworkInterface;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A packet socket on a container's eth0: sends frames as they are, and shows all that come. */
final class RawLink implements AutoCloseable {

  private static final MethodHandle SOCKET =
      function("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle BIND = function("bind", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle SET_OPTION =
      function("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle SEND =
      function("send", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle RECEIVE =
      function("recv", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle CLOSE = function("close", JAVA_INT, JAVA_INT);

  private static final int AF_PACKET = 17;
  private static final int SOCK_RAW = 3;
  private static final int ETH_P_ALL = 3;
  private static final int SOL_SOCKET = 1;
  private static final int SO_PRIORITY = 12;
  private static final int MSG_DONTWAIT = 0x40;

  private final int descriptor;

  private RawLink(int descriptor) {
    this.descriptor = descriptor;
  }

  static RawLink open(Netns namespace) {
    return new RawLink(namespace.in(RawLink::bound));
  }

  /** Family, protocol (big-endian), index, hardware type, packet type, address length, address. */
  private static int bound() throws Exception {
    int opened = (int) call(SOCKET, AF_PACKET, SOCK_RAW, Short.toUnsignedInt(bigEndian(ETH_P_ALL)));
    ByteBuffer address = ByteBuffer.allocate(20).order(ByteOrder.nativeOrder());
    address
        .putShort((short) AF_PACKET)
        .putShort(bigEndian(ETH_P_ALL))
        .putInt(NetworkInterface.getByName("eth0").getIndex());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocateFrom(JAVA_BYTE, address.array());
      if (opened < 0 || (int) call(BIND, opened, bytes, address.capacity()) < 0) {
        throw new IllegalStateException("cannot open a packet socket");
      }
    }
    return opened;
  }

  private static short bigEndian(int value) {
    return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN
        ? (short) value
        : Short.reverseBytes((short) value);
  }

  /** Gives what is sent from now on this priority. */
  RawLink priority(int priority) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocateFrom(JAVA_INT, priority);
      if ((int) call(SET_OPTION, descriptor, SOL_SOCKET, SO_PRIORITY, value, 4) < 0) {
        throw new IllegalStateException("cannot set a priority");
      }
    }
    return this;
  }

  void send(Frame frame) {
    try (Arena arena = Arena.ofConfined()) {
      byte[] bytes = frame.bytes();
      MemorySegment out = arena.allocateFrom(JAVA_BYTE, bytes);
      if ((long) call(SEND, descriptor, out, (long) bytes.length, 0) != bytes.length) {
        throw new IllegalStateException("cannot send a frame");
      }
    }
  }

  /** All that has come until now, as text of one character per byte. */
  List<String> received() {
    List<String> all = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(2000);
      while (true) {
        long length = (long) call(RECEIVE, descriptor, buffer, buffer.byteSize(), MSG_DONTWAIT);
        if (length < 0) {
          return all;
        }
        byte[] bytes = buffer.asSlice(0, length).toArray(JAVA_BYTE);
        all.add(new String(bytes, StandardCharsets.ISO_8859_1));
      }
    }
  }

  @Override
  public void close() {
    call(CLOSE, descriptor);
  }
}
