package io.flannelvlan.netlink;

import java.util.Locale;

/**
 * Per-link IPv4 settings, {@code IPV4_DEVCONF_*} of {@code linux/ip.h}; {@code
 * Documentation/networking/ip-sysctl.rst} explains them. Those that a bridge or tunnel may need.
 */
public enum Ipv4Setting {
  FORWARDING(1),
  PROXY_ARP(3),
  ACCEPT_REDIRECTS(4),
  SECURE_REDIRECTS(5),
  SEND_REDIRECTS(6),
  RP_FILTER(8),
  ACCEPT_SOURCE_ROUTE(9),
  LOG_MARTIANS(11),
  ARP_FILTER(13),
  ARP_ANNOUNCE(18),
  ARP_IGNORE(19),
  PROMOTE_SECONDARIES(20),
  ARP_ACCEPT(21),
  ARP_NOTIFY(22),
  ACCEPT_LOCAL(23),
  SRC_VALID_MARK(24),
  PROXY_ARP_PVLAN(25),
  ROUTE_LOCALNET(26),
  DROP_GRATUITOUS_ARP(31);

  private final int number;

  Ipv4Setting(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
