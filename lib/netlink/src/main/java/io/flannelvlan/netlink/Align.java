package io.flannelvlan.netlink;

/**
 * Netlink's padding rule. Messages, their fixed headers and their attributes all start at multiples
 * of four bytes.
 *
 * <pre>
 * #define NLMSG_ALIGN(len) (((len) + 4 - 1) &amp; ~(4 - 1))    include/uapi/linux/netlink.h
 * </pre>
 */
final class Align {

  private Align() {}

  /** The next multiple of four. */
  static int up(int length) {
    return (length + 3) & ~3;
  }
}
