package io.flannelvlan.net;

/**
 * A VXLAN network identifier.
 *
 * @param number 1…16777215 (24 bits; 0 is not given out)
 */
public record Vni(int number) implements Comparable<Vni> {

  public static final int MAX = (1 << 24) - 1;

  public Vni {
    if (number < 1 || number > MAX) {
      throw new IllegalArgumentException("VNI " + number + " is outside 1…" + MAX);
    }
  }

  /**
   * Reads a decimal number.
   *
   * @throws IllegalArgumentException if it is none, or out of bounds
   */
  public static Vni parse(String text) {
    try {
      return new Vni(Integer.parseInt(text));
    } catch (NumberFormatException _) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is not a VNI: give a number in 1…" + MAX);
    }
  }

  @Override
  public int compareTo(Vni other) {
    return Integer.compare(number, other.number);
  }

  @Override
  public String toString() {
    return Integer.toString(number);
  }
}
