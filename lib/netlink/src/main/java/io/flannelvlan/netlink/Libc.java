package io.flannelvlan.netlink;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The only class with foreign calls.
 *
 * <p>Binding a function costs several milliseconds for each new signature, so all of them share
 * one: five longs to a long, the function itself being an argument. That is sound on every 64-bit
 * Linux ABI: integer arguments travel in whole registers, sign-extended as here, and a function
 * ignores the registers that it has no parameter for. Of the result only the bits that the function
 * declares are used.
 *
 * <p>Results follow the kernel's habit: negative is minus errno. An instance holds the memory that
 * errno is read from, and so belongs to one thread at a time.
 */
@SuppressWarnings("restricted")
final class Libc {

  static final int AF_INET = 2;
  static final int AF_NETLINK = 16;
  static final int SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
  static final int SOCK_RAW_CLOEXEC = 3 | 0x80000;
  static final int NETLINK_ROUTE = 0;
  static final int NETLINK_NETFILTER = 12;

  static final int SOL_IP = 0;
  static final int IPT_SO_GET_INFO = 64;
  static final int IPT_SO_GET_ENTRIES = 65;
  static final int SOL_SOCKET = 1;
  static final int SO_RCVBUF = 8;
  static final int SO_RCVTIMEO = 20;
  static final int SO_RCVBUFFORCE = 33;
  static final int SOL_NETLINK = 270;
  static final int NETLINK_ADD_MEMBERSHIP = 1;
  static final int NETLINK_CAP_ACK = 10;
  static final int NETLINK_EXT_ACK = 11;
  static final int NETLINK_GET_STRICT_CHK = 12;

  /** As input to {@link #receive}: return the datagram's real length, even if it was cut. */
  static final int MSG_TRUNC = 0x20;

  static final int MSG_DONTWAIT = 0x40;

  private static final int O_RDONLY_CLOEXEC = 0x80000;
  private static final int EFD_CLOEXEC = 0x80000;
  private static final int CLONE_NEWNET = 0x40000000;
  private static final short POLLIN = 1;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final MethodHandle CALL =
      LINKER.downcallHandle(
          FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
          Linker.Option.captureCallState("errno"));

  private static final MemorySegment SOCKET = symbol("socket");
  private static final MemorySegment BIND = symbol("bind");
  private static final MemorySegment SETSOCKOPT = symbol("setsockopt");
  private static final MemorySegment GETSOCKOPT = symbol("getsockopt");
  private static final MemorySegment SEND = symbol("send");
  private static final MemorySegment RECV = symbol("recv");
  private static final MemorySegment WRITE = symbol("write");
  private static final MemorySegment CLOSE = symbol("close");
  private static final MemorySegment OPEN = symbol("open");
  private static final MemorySegment SETNS = symbol("setns");
  private static final MemorySegment POLL = symbol("poll");
  private static final MemorySegment EVENTFD = symbol("eventfd");

  private final MemorySegment state;

  Libc(Arena arena) {
    this.state = arena.allocate(Linker.Option.captureStateLayout());
  }

  int socket(int family, int type, int protocol) {
    return call(SOCKET, family, type, protocol, 0, 0);
  }

  int bind(int descriptor, MemorySegment address) {
    return call(BIND, descriptor, address.address(), address.byteSize(), 0, 0);
  }

  int setOption(int descriptor, int level, int option, MemorySegment value) {
    return call(SETSOCKOPT, descriptor, level, option, value.address(), value.byteSize());
  }

  /**
   * Fills in what may have been asked by what was there.
   *
   * @param length an int, how many bytes there is room for; then how many were filled in
   */
  int option(int descriptor, int level, int option, MemorySegment value, MemorySegment length) {
    return call(GETSOCKOPT, descriptor, level, option, value.address(), length.address());
  }

  int send(int descriptor, MemorySegment bytes) {
    return call(SEND, descriptor, bytes.address(), bytes.byteSize(), 0, 0);
  }

  int receive(int descriptor, MemorySegment buffer, int flags) {
    return call(RECV, descriptor, buffer.address(), buffer.byteSize(), flags, 0);
  }

  int write(int descriptor, MemorySegment bytes) {
    return call(WRITE, descriptor, bytes.address(), bytes.byteSize(), 0, 0);
  }

  int close(int descriptor) {
    return call(CLOSE, descriptor, 0, 0, 0, 0);
  }

  /** Opens a file for reading; {@code path} is a NUL-terminated string. */
  int open(MemorySegment path) {
    return call(OPEN, path.address(), O_RDONLY_CLOEXEC, 0, 0, 0);
  }

  /** Moves the calling OS thread into a network namespace. */
  int setNetworkNamespace(int descriptor) {
    return call(SETNS, descriptor, CLONE_NEWNET, 0, 0, 0);
  }

  /** A descriptor that polls as readable once it was written to. */
  int eventDescriptor() {
    return call(EVENTFD, 0, EFD_CLOEXEC, 0, 0, 0);
  }

  /**
   * Waits until one of the descriptors is readable.
   *
   * @param descriptors room for two {@code struct pollfd {int fd; short events, revents;}}
   */
  int pollReadable(MemorySegment descriptors, int first, int second) {
    descriptors.set(JAVA_INT, 0, first);
    descriptors.set(JAVA_SHORT, 4, POLLIN);
    descriptors.set(JAVA_INT, 8, second);
    descriptors.set(JAVA_SHORT, 12, POLLIN);
    return call(POLL, descriptors.address(), 2, -1, 0, 0);
  }

  private int call(MemorySegment function, long a, long b, long c, long d, long e) {
    try {
      // Every result here is an int, or an ssize_t that fits one.
      int result = (int) (long) CALL.invokeExact(function, state, a, b, c, d, e);
      return result >= 0 ? result : -state.get(JAVA_INT, 0);
    } catch (Throwable impossible) {
      throw new LinkageError("a libc call without a checked exception threw one", impossible);
    }
  }

  private static MemorySegment symbol(String name) {
    return LINKER
        .defaultLookup()
        .find(name)
        .orElseThrow(() -> new UnsatisfiedLinkError("libc has no " + name));
  }
}
