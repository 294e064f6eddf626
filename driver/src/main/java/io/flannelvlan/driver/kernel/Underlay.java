package io.flannelvlan.driver.kernel;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.Comparator;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The link that carries the tunnels, and this host's address on it.
 *
 * @param mtu of the link, in bytes; a tunnel has {@link #OVERHEAD} less
 */
public record Underlay(String link, IpAddress address, int mtu) {

  /** Outer Ethernet 14, IPv4 20, UDP 8, VXLAN 8. */
  public static final int OVERHEAD = 50;

  /**
   * The underlay that the user named.
   *
   * @param wish a link's name, an address of this host, or a CIDR that holds one; empty for the
   *     link of the default route
   * @return empty if this host has no such thing
   */
  public static Optional<Underlay> find(String wish, KernelState state) {
    return wish.isEmpty() ? ofDefaultRoute(state) : named(wish, state);
  }

  private static Optional<Underlay> ofDefaultRoute(KernelState state) {
    return state.routes().stream()
        .filter(route -> route.destination().length() == 0 && !route.link().isEmpty())
        .map(KernelRoute::link)
        .sorted()
        .flatMap(link -> on(link, state).stream())
        .findFirst();
  }

  private static Optional<Underlay> named(String wish, KernelState state) {
    if (state.link(wish).isPresent()) {
      return on(wish, state);
    }
    try {
      Predicate<IpAddress> meant =
          wish.contains("/") ? Cidr.parse(wish)::contains : IpAddress.parse(wish)::equals;
      return addresses(state)
          .filter(a -> meant.test(a.address().address()))
          .findFirst()
          .flatMap(a -> at(a, state));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static Optional<Underlay> on(String link, KernelState state) {
    return addresses(state)
        .filter(address -> address.link().equals(link))
        .findFirst()
        .flatMap(address -> at(address, state));
  }

  private static Optional<Underlay> at(LinkAddress address, KernelState state) {
    return state
        .link(address.link())
        .map(link -> new Underlay(link.name(), address.address().address(), link.mtu()));
  }

  /** In a fixed order, and none of our own links': a tunnel over a tunnel is never meant. */
  private static Stream<LinkAddress> addresses(KernelState state) {
    return state.addresses().stream()
        .filter(a -> state.link(a.link()).filter(link -> !Mark.isOurs(link)).isPresent())
        .sorted(
            Comparator.comparing(LinkAddress::link)
                .thenComparing(address -> address.address().address()));
  }
}
