package io.flannelvlan.driver.kernel;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.Comparator;
import java.util.List;
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
    return candidates(wish, state).findFirst();
  }

  /**
   * What the wish means now: the same as before if that is among what it may mean, so that a
   * further address, or a default route of somebody's tunnel, changes nothing.
   *
   * @param links that were the underlay, the one to go back to first
   * @param address that this host had on the last of them
   * @return empty if this host has no such thing at the moment
   */
  public static Optional<Underlay> follow(
      String wish, List<String> links, IpAddress address, KernelState state) {
    return candidates(wish, state)
        .min(Comparator.comparingInt(now -> now.unlikeness(links, address)));
  }

  private int unlikeness(List<String> formerLinks, IpAddress formerAddress) {
    int place = formerLinks.indexOf(link);
    return 2 * (place < 0 ? formerLinks.size() : place) + (address.equals(formerAddress) ? 0 : 1);
  }

  private static Stream<Underlay> candidates(String wish, KernelState state) {
    return wish.isEmpty() ? ofDefaultRoute(state) : named(wish, state);
  }

  /** That of the lowest metric first, as the kernel itself takes it. */
  private static Stream<Underlay> ofDefaultRoute(KernelState state) {
    return state.routes().stream()
        .filter(route -> route.destination().length() == 0 && !route.link().isEmpty())
        .sorted(Comparator.comparingInt(KernelRoute::metric).thenComparing(KernelRoute::link))
        .map(KernelRoute::link)
        .distinct()
        .flatMap(link -> on(link, state));
  }

  private static Stream<Underlay> named(String wish, KernelState state) {
    if (state.link(wish).isPresent()) {
      return on(wish, state);
    }
    try {
      Predicate<IpAddress> meant =
          wish.contains("/") ? Cidr.parse(wish)::contains : IpAddress.parse(wish)::equals;
      return addresses(state)
          .filter(a -> meant.test(a.address().address()))
          .flatMap(a -> at(a, state).stream());
    } catch (IllegalArgumentException _) {
      return Stream.empty();
    }
  }

  private static Stream<Underlay> on(String link, KernelState state) {
    return addresses(state)
        .filter(address -> address.link().equals(link))
        .flatMap(address -> at(address, state).stream());
  }

  private static Optional<Underlay> at(LinkAddress address, KernelState state) {
    return state
        .link(address.link())
        .map(link -> new Underlay(link.name(), address.address().address(), link.mtu()));
  }

  /** In a fixed order, and none of our own links': a tunnel over a tunnel is never meant. */
  private static Stream<LinkAddress> addresses(KernelState state) {
    return state.addresses().stream()
        .filter(a -> state.link(a.link()).isPresent() && !state.isOurs(a))
        .sorted(
            Comparator.comparing(LinkAddress::link)
                .thenComparing(address -> address.address().address()));
  }
}
