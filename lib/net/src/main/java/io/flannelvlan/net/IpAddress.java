package io.flannelvlan.net;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * An IPv4 or IPv6 address, one type for both.
 *
 * <p>IPv4 keeps its 32 bits in the low half of {@code low}; {@code high} is then zero. Ordering is
 * by family, then numerically.
 *
 * @param family which of the two it is
 * @param high bits 127..64 (IPv6 only)
 * @param low bits 63..0
 */
public record IpAddress(Family family, long high, long low) implements Comparable<IpAddress> {

  /** The address family with its width in bits. */
  public enum Family {
    IPV4(32),
    IPV6(128);

    private final int bits;

    Family(int bits) {
      this.bits = bits;
    }

    /** Width of an address in bits. */
    public int bits() {
      return bits;
    }
  }

  public IpAddress {
    if (family == Family.IPV4 && (high != 0 || low >>> 32 != 0)) {
      throw new IllegalArgumentException("more than 32 bits in an IPv4 address");
    }
  }

  /**
   * Reads {@code 10.2.20.5} or {@code fd00::1}.
   *
   * @throws IllegalArgumentException if the text is anything else; host names are never looked up
   */
  public static IpAddress parse(String text) {
    return text.indexOf(':') >= 0 ? parseIpv6(text) : parseIpv4(text);
  }

  /** The address held by {@code bytes}: 4 of them for IPv4, 16 for IPv6, in network order. */
  public static IpAddress of(byte[] bytes) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    return switch (bytes.length) {
      case 4 -> ipv4(Integer.toUnsignedLong(buffer.getInt()));
      case 16 -> new IpAddress(Family.IPV6, buffer.getLong(), buffer.getLong());
      default -> throw new IllegalArgumentException(bytes.length + " bytes are no IP address");
    };
  }

  /** The IPv4 address with these 32 bits. */
  public static IpAddress ipv4(long bits) {
    return new IpAddress(Family.IPV4, 0, bits);
  }

  public boolean isIpv4() {
    return family == Family.IPV4;
  }

  /** Network-order bytes: 4 for IPv4, 16 for IPv6. */
  public byte[] bytes() {
    return isIpv4()
        ? ByteBuffer.allocate(4).putInt((int) low).array()
        : ByteBuffer.allocate(16).putLong(high).putLong(low).array();
  }

  /**
   * The address {@code offset} further on.
   *
   * @throws ArithmeticException if that leaves the family's address space
   */
  public IpAddress plus(long offset) {
    if (isIpv4()) {
      long sum = Math.addExact(low, offset);
      if (sum < 0 || sum >>> 32 != 0) {
        throw new ArithmeticException(this + " + " + offset + " is no IPv4 address");
      }
      return ipv4(sum);
    }
    long sum = low + offset;
    long carry =
        offset >= 0
            ? (Long.compareUnsigned(sum, low) < 0 ? 1 : 0)
            : (Long.compareUnsigned(sum, low) > 0 ? -1 : 0);
    return new IpAddress(family, high + carry, sum);
  }

  /**
   * How far this address lies behind {@code other}, negative if before it.
   *
   * @throws ArithmeticException if the distance needs more than 63 bits
   */
  public long minus(IpAddress other) {
    if (family != other.family) {
      throw new IllegalArgumentException(this + " and " + other + " are of different families");
    }
    if (high != other.high) {
      throw new ArithmeticException("the distance from " + other + " to " + this + " is too long");
    }
    return isIpv4() ? low - other.low : Math.subtractExact(low, other.low);
  }

  /** This address with all but its first {@code length} bits zero. */
  public IpAddress masked(int length) {
    if (isIpv4()) {
      return ipv4(length == 0 ? 0 : low & (-1L << (32 - length)) & 0xffff_ffffL);
    }
    long highMask = length == 0 ? 0 : length >= 64 ? -1L : -1L << (64 - length);
    long lowMask = length <= 64 ? 0 : -1L << (128 - length);
    return new IpAddress(family, high & highMask, low & lowMask);
  }

  @Override
  public int compareTo(IpAddress other) {
    int byFamily = family.compareTo(other.family);
    int byHigh = byFamily != 0 ? byFamily : Long.compareUnsigned(high, other.high);
    return byHigh != 0 ? byHigh : Long.compareUnsigned(low, other.low);
  }

  /** Canonical text: dotted IPv4, or IPv6 as RFC 5952 spells it. */
  @Override
  public String toString() {
    return isIpv4()
        ? (low >>> 24) + "." + (low >>> 16 & 255) + "." + (low >>> 8 & 255) + "." + (low & 255)
        : ipv6Text();
  }

  private static IpAddress parseIpv4(String text) {
    String[] parts = text.split("\\.", -1);
    if (parts.length != 4) {
      throw notAnAddress(text);
    }
    long bits = 0;
    for (String part : parts) {
      if (part.isEmpty()
          || part.length() > 3
          || !part.chars().allMatch(c -> c >= '0' && c <= '9')) {
        throw notAnAddress(text);
      }
      int octet = Integer.parseInt(part);
      // A leading zero means octal to some readers and decimal to others, so it is refused.
      if (octet > 255 || (part.length() > 1 && part.charAt(0) == '0')) {
        throw notAnAddress(text);
      }
      bits = bits << 8 | octet;
    }
    return ipv4(bits);
  }

  private static IpAddress parseIpv6(String text) {
    // With only these characters the JDK takes the text for a literal and asks no resolver.
    if (!text.chars().allMatch(c -> Character.digit(c, 16) >= 0 || c == ':' || c == '.')) {
      throw notAnAddress(text);
    }
    try {
      byte[] bytes = InetAddress.getByName("[" + text + "]").getAddress();
      if (bytes.length == 4) {
        // The JDK folds ::ffff:a.b.c.d into IPv4; keep it IPv6, as it was written.
        byte[] mapped = new byte[16];
        mapped[10] = mapped[11] = (byte) 0xff;
        System.arraycopy(bytes, 0, mapped, 12, 4);
        return of(mapped);
      }
      return of(bytes);
    } catch (UnknownHostException _) {
      throw notAnAddress(text);
    }
  }

  private static IllegalArgumentException notAnAddress(String text) {
    return new IllegalArgumentException("\"" + text + "\" is not an IP address");
  }

  /** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as "::". */
  private String ipv6Text() {
    int[] groups = new int[8];
    ByteBuffer buffer = ByteBuffer.wrap(bytes());
    Arrays.setAll(groups, _ -> Short.toUnsignedInt(buffer.getShort()));
    int start = -1;
    int length = 1;
    for (int i = 0; i < 8; i++) {
      int end = i;
      while (end < 8 && groups[end] == 0) {
        end++;
      }
      if (end - i > length) {
        start = i;
        length = end - i;
      }
      i = Math.max(i, end);
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      if (i == start) {
        text.append("::");
        i += length - 1;
        continue;
      }
      if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
        text.append(':');
      }
      text.append(HexFormat.of().toHexDigits(groups[i], 4).replaceFirst("^0{1,3}", ""));
    }
    return text.toString();
  }
}
