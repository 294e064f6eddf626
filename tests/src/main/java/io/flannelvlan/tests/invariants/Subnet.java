package io.flannelvlan.tests.invariants;

/** A range of addresses, such as 10.2.20.0/24. */
record Subnet(String base, int length) {
  Subnet(String base, String length) {
    this(base, Integer.parseInt(length));
  }

  static Subnet parse(String cidr) {
    String[] parts = cidr.split("/", -1);
    return new Subnet(parts[0], parts[1]);
  }

  boolean overlaps(Subnet other) {
    int shorter = Math.min(length, other.length);
    long mask = shorter == 0 ? 0 : 0xffffffffL << (32 - shorter);
    return (number(base) & mask) == (number(other.base) & mask);
  }

  boolean contains(Subnet other) {
    return other.length >= length && overlaps(other);
  }

  boolean contains(String address) {
    return contains(new Subnet(address, 32));
  }

  private static long number(String address) {
    long number = 0;
    for (String part : address.split("\\.", -1)) {
      number = number << 8 | Long.parseLong(part);
    }
    return number;
  }

  @Override
  public String toString() {
    return base + "/" + length;
  }
}
