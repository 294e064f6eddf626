package io.flannelvlan.flannel;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;

/**
 * How a VLAN's range is cut into one subnet per host, with flannel's limits.
 *
 * @param range the whole VLAN, IPv4
 * @param subnetLen prefix length of each host's subnet
 * @param subnetMin base of the first subnet given out
 * @param subnetMax base of the last one
 */
public record SubnetLayout(Cidr range, int subnetLen, IpAddress subnetMin, IpAddress subnetMax) {

  /** Below it a subnet has no room for a gateway and a container. */
  private static final int LONGEST_SUBNET_LEN = 30;

  private static final int LONGEST_RANGE = 28;

  public SubnetLayout {
    if (!range.base().isIpv4()) {
      throw new IllegalArgumentException("Network " + range + " is not IPv4");
    }
    if (subnetLen > LONGEST_SUBNET_LEN) {
      throw new IllegalArgumentException(
          "SubnetLen " + subnetLen + " is too long: at most " + LONGEST_SUBNET_LEN);
    }
    if (subnetLen < range.length() + 2) {
      throw new IllegalArgumentException(
          "SubnetLen "
              + subnetLen
              + " is too short: Network "
              + range
              + " has to hold at least four subnets, so at least "
              + (range.length() + 2));
    }
    checkBound("SubnetMin", subnetMin, range, subnetLen);
    checkBound("SubnetMax", subnetMax, range, subnetLen);
    if (subnetMin.compareTo(subnetMax) > 0) {
      throw new IllegalArgumentException(
          "SubnetMin " + subnetMin + " lies behind SubnetMax " + subnetMax);
    }
  }

  /** The layout that flannel derives from the range alone. */
  public static SubnetLayout of(Cidr range) {
    return of(range, defaultSubnetLen(range));
  }

  /** All subnets of that length but the first, which flannel leaves out. */
  public static SubnetLayout of(Cidr range, int subnetLen) {
    return new SubnetLayout(
        range, subnetLen, defaultMin(range, subnetLen), defaultMax(range, subnetLen));
  }

  static int defaultSubnetLen(Cidr range) {
    if (range.length() > LONGEST_RANGE) {
      throw new IllegalArgumentException(
          "Network " + range + " is too small: at least a /" + LONGEST_RANGE);
    }
    return range.length() <= 22 ? 24 : range.length() + 2;
  }

  static IpAddress defaultMin(Cidr range, int subnetLen) {
    requireIpv4Length(subnetLen);
    return range.base().plus(1L << (32 - subnetLen));
  }

  static IpAddress defaultMax(Cidr range, int subnetLen) {
    requireIpv4Length(subnetLen);
    return range.last().masked(subnetLen);
  }

  /**
   * True if a lease of this subnet fits: the right length, not before the first or behind the last.
   */
  public boolean allows(Cidr subnet) {
    return subnet.length() == subnetLen
        && subnet.base().compareTo(subnetMin) >= 0
        && subnet.base().compareTo(subnetMax) <= 0;
  }

  /** How many subnets can be given out. */
  public long count() {
    return (subnetMax.minus(subnetMin) >>> (32 - subnetLen)) + 1;
  }

  /** The subnet in which the address lies, given out or not. */
  public Cidr subnetOf(IpAddress address) {
    return Cidr.around(address, subnetLen);
  }

  private static void requireIpv4Length(int subnetLen) {
    if (subnetLen < 1 || subnetLen > 32) {
      throw new IllegalArgumentException("SubnetLen " + subnetLen + " is outside 1…32");
    }
  }

  private static void checkBound(String name, IpAddress bound, Cidr range, int subnetLen) {
    if (!range.contains(bound)) {
      throw new IllegalArgumentException(name + " " + bound + " is not in Network " + range);
    }
    if (!bound.masked(subnetLen).equals(bound)) {
      throw new IllegalArgumentException(
          name + " " + bound + " is not the base of a /" + subnetLen + " subnet");
    }
  }
}
