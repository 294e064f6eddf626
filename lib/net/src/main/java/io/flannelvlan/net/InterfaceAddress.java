package io.flannelvlan.net;

/**
 * An address as a link carries it: with the prefix length of the subnet around it, {@code
 * 10.2.20.5/24}.
 */
public record InterfaceAddress(IpAddress address, int length) {

  public InterfaceAddress {
    if (length < 0 || length > address.family().bits()) {
      throw new IllegalArgumentException("/" + length + " is no prefix length of " + address);
    }
  }

  /**
   * Reads {@code 10.2.20.5/24}.
   *
   * @throws IllegalArgumentException if the text is anything else
   */
  public static InterfaceAddress parse(String text) {
    int slash = text.indexOf('/');
    String digits = slash < 0 ? "" : text.substring(slash + 1);
    if (digits.isEmpty() || digits.length() > 3 || !digits.chars().allMatch(Character::isDigit)) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is not an address with a prefix length, such as 10.2.0.0/16");
    }
    return new InterfaceAddress(
        IpAddress.parse(text.substring(0, slash)), Integer.parseInt(digits));
  }

  /** The subnet around the address. */
  public Cidr subnet() {
    return Cidr.around(address, length);
  }

  @Override
  public String toString() {
    return address + "/" + length;
  }
}
