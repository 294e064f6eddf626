package io.flannelvlan.driver.kernel;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.Optional;

/**
 * An IPv4 route of the main table.
 *
 * @param link name of the link it leaves by; empty for a blackhole and the like
 * @param onlink whether the gateway is taken for directly reachable
 * @param protocol who made it; {@link Mark#ROUTE_PROTOCOL} is us, 2 the kernel
 * @param metric of several to one destination the kernel takes the lowest
 */
public record KernelRoute(
    Cidr destination,
    Optional<IpAddress> gateway,
    String link,
    boolean onlink,
    int protocol,
    int metric) {

  /** The metric that a route has unless somebody gives it one. */
  public KernelRoute(
      Cidr destination, Optional<IpAddress> gateway, String link, boolean onlink, int protocol) {
    this(destination, gateway, link, onlink, protocol, 0);
  }

  boolean isOurs() {
    return protocol == Mark.ROUTE_PROTOCOL;
  }

  @Override
  public String toString() {
    return destination
        + gateway.map(address -> " via " + address).orElse("")
        + (link.isEmpty() ? "" : " dev " + link)
        + (onlink ? " onlink" : "")
        + (isOurs() ? " proto " + protocol : "");
  }
}
