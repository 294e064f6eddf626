package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.kernel.KernelRoute;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.driver.kernel.Underlay;
import io.flannelvlan.ipam.HostRoutes;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Where this host stands: its underlay, its public address, and what its routing already has.
 *
 * @param iface the setting IFACE, empty for the default route's link
 * @param publicIp the setting PUBLIC_IP
 * @param kernel a fresh look at the kernel
 * @param plain whether a gateway is one that we named to a plain dockerd of this host
 */
record HostUnderlay(
    String iface,
    Optional<IpAddress> publicIp,
    Supplier<KernelState> kernel,
    Predicate<InterfaceAddress> plain)
    implements HostRoutes {

  private static final Path RESOLV_CONF = Path.of("/etc/resolv.conf");

  /**
   * The underlay.
   *
   * @param wish {@code --opt iface=}, in place of the daemon's setting
   * @throws Refused if this host has no such thing
   */
  Underlay underlay(Optional<String> wish) {
    String meant = wish.orElse(iface);
    return Underlay.find(meant, kernel.get())
        .orElseThrow(() ->
            new Refused(
                meant.isEmpty()
                    ? "this host has no default route to tell the underlay by: set IFACE to a"
                        + " link, an address or a CIDR"
                    : "underlay \""
                        + meant
                        + "\" is neither a link with an IPv4 address, nor an"
                        + " address of this host, nor a CIDR that holds one"));
  }

  /**
   * What the wish means now, for a VLAN that is here.
   *
   * @param links its links, with the underlay that it has and the one it began on
   * @param state the kernel's, now
   * @return empty if this host has no such thing at the moment
   */
  Optional<Underlay> follow(Optional<String> wish, VlanLinks links, KernelState state) {
    return Underlay.follow(
        wish.orElse(iface), List.of(links.home(), links.underlay()), links.local(), state);
  }

  /** Where the peers send to. */
  IpAddress publicAddress() {
    return publicIp.orElseGet(() -> underlay(Optional.empty()).address());
  }

  /** As {@link #publicAddress}; empty while this host has none. */
  Optional<IpAddress> knownAddress() {
    return publicIp.or(() -> Underlay.find(iface, kernel.get()).map(Underlay::address));
  }

  /** The same for a network with an underlay of its own. */
  IpAddress publicAddress(Underlay underlay, Optional<String> wish) {
    return wish.isPresent() ? underlay.address() : publicIp.orElse(underlay.address());
  }

  @Override
  public Optional<String> inTheWayOf(Cidr range, Collection<Cidr> own) {
    KernelState state = kernel.get();
    return state.routes().stream()
        .filter(route -> route.destination().length() > 0)
        .filter(route -> !state.isOurs(route) && route.destination().overlaps(range))
        .filter(route -> !isPlain(route, own, state))
        .map(KernelRoute::toString)
        .sorted()
        .findFirst()
        .map(route -> "route " + route)
        .or(() -> nameServers().filter(range::contains).findFirst().map(s -> "name server " + s));
  }

  private boolean isPlain(KernelRoute route, Collection<Cidr> own, KernelState state) {
    InterfaceAddress gateway = route.destination().at(1);
    return state.foreignCarrier(gateway).filter(route.link()::equals).isPresent()
        && (own.contains(route.destination()) || plain.test(gateway));
  }

  /** dockerd refuses a pool that holds one of these, and before 27 asks for another for ever. */
  private static Stream<IpAddress> nameServers() {
    try (Stream<String> lines = Files.lines(RESOLV_CONF)) {
      return lines
          .map(String::strip)
          .filter(line -> line.startsWith("nameserver "))
          .map(line -> line.substring("nameserver ".length()).strip())
          .flatMap(HostUnderlay::address)
          .toList()
          .stream();
    } catch (IOException _) {
      return Stream.empty();
    }
  }

  private static Stream<IpAddress> address(String text) {
    try {
      return Stream.of(IpAddress.parse(text));
    } catch (IllegalArgumentException _) {
      return Stream.empty();
    }
  }
}
