package io.flannelvlan.netlink;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;

/**
 * A netlink socket of some protocol: datagrams in, datagrams out. Used by one thread at a time; it
 * may be opened by another.
 */
final class Socket implements AutoCloseable {

  /**
   * The kernel sizes the datagrams of a dump by the buffer it sees, up to 32 KiB, and sends nothing
   * larger on the messages that are asked for here. A datagram that is larger all the same is
   * noticed, not silently cut.
   */
  private static final int RECEIVE_BUFFER = 64 * 1024;

  /** Below the 208 KiB that an unprivileged socket may queue for sending. */
  static final int SEND_BUFFER = 64 * 1024;

  /** Room for the answers to a full send, and for a burst of notifications. */
  private static final int QUEUE = 4 * 1024 * 1024;

  private final Arena arena = Arena.ofShared();
  private final Libc libc = new Libc(arena);
  private final MemorySegment receiveBuffer = arena.allocate(RECEIVE_BUFFER, 8);
  private final MemorySegment sendBuffer = arena.allocate(SEND_BUFFER, 8);
  private final ByteBuffer received = receiveBuffer.asByteBuffer().order(ByteOrder.nativeOrder());
  private final MemorySegment scratch = arena.allocate(16, 8);
  private final int descriptor;

  private Socket(int descriptor) {
    this.descriptor = descriptor;
  }

  /** Opens a socket of the protocol in the calling thread's namespace. */
  static Socket open(int protocol) {
    int descriptor;
    try (Arena once = Arena.ofConfined()) {
      descriptor = new Libc(once).socket(Libc.AF_NETLINK, Libc.SOCK_RAW_CLOEXEC, protocol);
    }
    if (descriptor < 0) {
      throw NetlinkException.of("open a netlink socket", -descriptor, "");
    }
    Socket socket = new Socket(descriptor);
    try {
      socket.bind();
      socket.enlargeQueue();
      return socket;
    } catch (RuntimeException refusal) {
      socket.close();
      throw refusal;
    }
  }

  /** {@code struct sockaddr_nl {u16 family, pad; u32 port, groups;}}; port 0: the kernel picks. */
  private void bind() {
    scratch.fill((byte) 0).set(JAVA_SHORT, 0, (short) Libc.AF_NETLINK);
    check(libc.bind(descriptor, scratch.asSlice(0, 12)), "bind a netlink socket");
  }

  /** Beyond the system's limit where we may (CAP_NET_ADMIN), else up to it. */
  private void enlargeQueue() {
    if (option(Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, QUEUE) < 0) {
      option(Libc.SOL_SOCKET, Libc.SO_RCVBUF, QUEUE);
    }
  }

  /** Sets a switch of the netlink level; false if this kernel does not have it. */
  boolean enable(int option) {
    return option(Libc.SOL_NETLINK, option, 1) >= 0;
  }

  void join(int group) {
    check(option(Libc.SOL_NETLINK, Libc.NETLINK_ADD_MEMBERSHIP, group), "join group " + group);
  }

  /** How long {@link #receive} waits: {@code struct timeval {s64 seconds, microseconds;}}. */
  void receiveTimeout(Duration timeout) {
    scratch.set(JAVA_LONG, 0, timeout.toSeconds());
    scratch.set(JAVA_LONG, 8, timeout.toNanosPart() / 1000);
    check(
        libc.setOption(descriptor, Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, scratch),
        "set the timeout of a netlink socket");
  }

  /** A cleared buffer to fill and pass to {@link #send}. */
  ByteBuffer sendBuffer() {
    return sendBuffer.asByteBuffer().order(ByteOrder.nativeOrder());
  }

  /** Sends what was written to the {@link #sendBuffer}. The kernel works while this call runs. */
  void send(ByteBuffer written, String operation) {
    int length = written.position();
    int result;
    do {
      result = libc.send(descriptor, sendBuffer.asSlice(0, length));
    } while (result == -Errno.EINTR.number());
    check(result, operation);
  }

  /**
   * Receives one datagram.
   *
   * @param flags 0 or {@link Libc#MSG_DONTWAIT}
   * @return its bytes, valid until the next call
   * @throws NetlinkException EAGAIN after the timeout; ENOBUFS if datagrams were lost
   */
  ByteBuffer receive(int flags, String operation) {
    int length;
    do {
      length = libc.receive(descriptor, receiveBuffer, flags | Libc.MSG_TRUNC);
    } while (length == -Errno.EINTR.number());
    check(length, operation);
    if (length > RECEIVE_BUFFER) {
      throw NetlinkException.of(
          operation, Errno.EMSGSIZE.number(), "an answer of " + length + " bytes was cut");
    }
    return received.slice(0, length);
  }

  int descriptor() {
    return descriptor;
  }

  private int option(int level, int option, int value) {
    scratch.set(JAVA_INT, 0, value);
    return libc.setOption(descriptor, level, option, scratch.asSlice(0, 4));
  }

  private static void check(int result, String operation) {
    if (result < 0) {
      throw NetlinkException.of(operation, -result, "");
    }
  }

  /** Twice is no error: the number may belong to another file by then, so it is closed once. */
  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      libc.close(descriptor);
      arena.close();
    }
  }
}
