package io.flannelvlan.net;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;

/**
 * A 48-bit hardware address.
 *
 * @param bits the address in the low 48 bits, first byte highest
 */
public record MacAddress(long bits) {

  private static final Pattern COLONS_OR_DASHES =
      Pattern.compile("\\p{XDigit}{2}([:-]\\p{XDigit}{2}){5}");
  private static final Pattern DOTTED = Pattern.compile("\\p{XDigit}{4}(\\.\\p{XDigit}{4}){2}");

  public MacAddress {
    if (bits >>> 48 != 0) {
      throw new IllegalArgumentException("more than 48 bits in a MAC address");
    }
  }

  /**
   * Reads {@code 0a:58:0a:02:14:05}, {@code 0A-58-…} or {@code 0a58.0a02.1405}, the forms that Go's
   * parser and so Docker and flannel accept.
   *
   * @throws IllegalArgumentException if the text is anything else
   */
  public static MacAddress parse(String text) {
    if (!COLONS_OR_DASHES.matcher(text).matches() && !DOTTED.matcher(text).matches()) {
      throw new IllegalArgumentException("\"" + text + "\" is not a MAC address");
    }
    return new MacAddress(HexFormat.fromHexDigitsToLong(text.replaceAll("[:.-]", "")));
  }

  /** The address in these 6 bytes. */
  public static MacAddress of(byte[] bytes) {
    if (bytes.length != 6) {
      throw new IllegalArgumentException(bytes.length + " bytes are no MAC address");
    }
    ByteBuffer padded = ByteBuffer.allocate(8).position(2).put(bytes).flip();
    return new MacAddress(padded.getLong());
  }

  /**
   * The MAC of an endpoint: {@code 0a:58} and the four bytes of its address, so that a reused
   * address keeps its MAC and no neighbour's cache goes stale.
   */
  public static MacAddress ofEndpoint(IpAddress ipv4) {
    return new MacAddress(0x0a58L << 32 | ipv4.low());
  }

  /** Whether it is made like {@link #ofEndpoint} makes them. */
  public boolean isOfEndpoint() {
    return bits >>> 32 == 0x0a58L;
  }

  /** A random, locally administered unicast address. */
  public static MacAddress random(RandomGenerator random) {
    long bits = random.nextLong() & 0xffff_ffff_ffffL;
    return new MacAddress((bits & ~(1L << 40)) | 1L << 41);
  }

  /** The 6 bytes in transmission order. */
  public byte[] bytes() {
    byte[] bytes = new byte[6];
    ByteBuffer.allocate(8).putLong(bits).position(2).get(bytes);
    return bytes;
  }

  @Override
  public String toString() {
    return HexFormat.ofDelimiter(":").formatHex(bytes());
  }
}
