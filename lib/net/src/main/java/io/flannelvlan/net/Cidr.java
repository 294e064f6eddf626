package io.flannelvlan.net;

/**
 * An address range given by its first address and a prefix length, such as {@code 10.2.0.0/16}.
 *
 * @param base first address; all bits behind the prefix are zero
 * @param length prefix length in bits
 */
public record Cidr(IpAddress base, int length) implements Comparable<Cidr> {

  public Cidr {
    if (length < 0 || length > base.family().bits()) {
      throw new IllegalArgumentException("/" + length + " is no prefix length of " + base);
    }
    if (!base.masked(length).equals(base)) {
      throw new IllegalArgumentException(
          base + "/" + length + " has host bits set; its network is " + around(base, length));
    }
  }

  /**
   * Reads {@code 10.2.0.0/16}.
   *
   * @throws IllegalArgumentException if the text is no CIDR, or has bits behind its prefix
   */
  public static Cidr parse(String text) {
    InterfaceAddress parsed = InterfaceAddress.parse(text);
    return new Cidr(parsed.address(), parsed.length());
  }

  /** The range of that prefix length in which the address lies. */
  public static Cidr around(IpAddress address, int length) {
    return new Cidr(address.masked(length), length);
  }

  /** The range of one single address. */
  public static Cidr only(IpAddress address) {
    return new Cidr(address, address.family().bits());
  }

  public boolean contains(IpAddress address) {
    return address.family() == base.family() && address.masked(length).equals(base);
  }

  public boolean contains(Cidr other) {
    return other.length >= length && contains(other.base);
  }

  public boolean overlaps(Cidr other) {
    return contains(other) || other.contains(this);
  }

  /** The last address; of an IPv4 subnet, its broadcast address. */
  public IpAddress last() {
    return base.plus(size() - 1);
  }

  /**
   * Number of addresses.
   *
   * @throws ArithmeticException for an IPv6 range of more than 2^62 addresses
   */
  public long size() {
    int hostBits = base.family().bits() - length;
    if (hostBits > 62) {
      throw new ArithmeticException(this + " has too many addresses to count");
    }
    return 1L << hostBits;
  }

  /** The next range of the same size. */
  public Cidr next() {
    return new Cidr(base.plus(size()), length);
  }

  /** The address at this distance from the base, with this range's prefix length. */
  public InterfaceAddress at(long offset) {
    return new InterfaceAddress(base.plus(offset), length);
  }

  @Override
  public int compareTo(Cidr other) {
    int byBase = base.compareTo(other.base);
    return byBase != 0 ? byBase : Integer.compare(length, other.length);
  }

  @Override
  public String toString() {
    return base + "/" + length;
  }
}
