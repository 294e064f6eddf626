package io.flannelvlan.flannel;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The last element of a lease's key: {@code 10.2.20.0-24}, dual-stack {@code
 * 10.2.20.0-24&fd00:2:0:14::-64}.
 */
public record SubnetKey(Cidr subnet, Optional<Cidr> ipv6) implements Comparable<SubnetKey> {

  /** flannel's own: bound to the end of a key, not to its start. */
  private static final Pattern KEY =
      Pattern.compile("(\\d+\\.\\d+\\.\\d+\\.\\d+)-(\\d+)(?:&([a-f\\d:]+)-(\\d+))?$");

  public static SubnetKey of(Cidr subnet) {
    return new SubnetKey(subnet, Optional.empty());
  }

  /**
   * Reads the end of a key, or of a file name made from it.
   *
   * @throws IllegalArgumentException if it names no subnet
   */
  public static SubnetKey parse(String key) {
    Matcher matcher = KEY.matcher(key);
    if (!matcher.find()) {
      throw new IllegalArgumentException("\"" + key + "\" names no subnet");
    }
    Cidr subnet = cidr(matcher.group(1), matcher.group(2), 31);
    String ipv6 = matcher.group(3);
    return new SubnetKey(
        subnet, ipv6 == null ? Optional.empty() : Optional.of(cidr(ipv6, matcher.group(4), 127)));
  }

  /** {@code 10.2.0.0-16}: a CIDR as an element of a key. */
  static String element(Cidr cidr) {
    return cidr.base() + "-" + cidr.length();
  }

  private static Cidr cidr(String base, String length, int longest) {
    if (length.length() > 3 || Integer.parseInt(length) > longest) {
      throw new IllegalArgumentException(
          "\"" + base + "-" + length + "\" names no subnet: longer than /" + longest);
    }
    return new Cidr(IpAddress.parse(base), Integer.parseInt(length));
  }

  @Override
  public int compareTo(SubnetKey other) {
    int bySubnet = subnet.compareTo(other.subnet);
    return bySubnet != 0 ? bySubnet : toString().compareTo(other.toString());
  }

  @Override
  public String toString() {
    return element(subnet) + ipv6.map(cidr -> "&" + element(cidr)).orElse("");
  }
}
