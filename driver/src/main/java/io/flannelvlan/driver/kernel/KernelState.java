package io.flannelvlan.driver.kernel;

import io.flannelvlan.driver.kernel.Desired.Peer;
import io.flannelvlan.firewall.PortGroup;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What one dump shows: all links by name and the main table's IPv4 routes; addresses, permanent
 * neighbours, FDB entries and settings of our links, and the settings of the underlay links.
 */
public record KernelState(
    Map<String, KernelLink> links,
    Set<LinkAddress> addresses,
    Set<LinkNeighbor> neighbors,
    Set<LinkFdb> fdb,
    Set<KernelRoute> routes,
    Set<LinkSetting> settings) {

  public KernelState {
    links = Map.copyOf(links);
    addresses = Set.copyOf(addresses);
    neighbors = Set.copyOf(neighbors);
    fdb = Set.copyOf(fdb);
    routes = Set.copyOf(routes);
    settings = Set.copyOf(settings);
  }

  public static KernelState empty() {
    return new KernelState(Map.of(), Set.of(), Set.of(), Set.of(), Set.of(), Set.of());
  }

  public Optional<KernelLink> link(String name) {
    return Optional.ofNullable(links.get(name));
  }

  /** Whether there is any link of ours. */
  public boolean hasOurs() {
    return links.values().stream().anyMatch(Mark::isOurs);
  }

  /** Our links whose other end is in a sandbox, by name. */
  public Set<String> sandboxLinks() {
    return links.values().stream()
        .filter(link ->
            Mark.isOurs(link) && link.kind() instanceof KernelLink.Veth(boolean away) && away)
        .map(KernelLink::name)
        .collect(Collectors.toSet());
  }

  /**
   * This host's first subnet in the range, as a bridge has it: the one that its MAC is made of,
   * where the bridge is the VLAN's alone.
   */
  public Optional<Cidr> bridgeSubnet(Cidr range) {
    return addresses.stream()
        .filter(address -> range.contains(address.address().address()) && isGateway(address))
        .min(
            Comparator.comparing((LinkAddress address) -> !isInMac(address))
                .thenComparing(address -> address.address().address()))
        .map(address -> address.address().subnet());
  }

  private boolean isGateway(LinkAddress address) {
    return isOurs(address)
        && link(address.link()).filter(l -> l.kind() instanceof KernelLink.Bridge).isPresent();
  }

  private boolean isInMac(LinkAddress address) {
    return link(address.link())
        .flatMap(KernelLink::mac)
        .equals(Optional.of(MacAddress.ofEndpoint(address.address().address())));
  }

  /** Whether an address is ours, by its link or by itself. */
  boolean isOurs(LinkAddress address) {
    return address.labelled() || link(address.link()).filter(Mark::isOurs).isPresent();
  }

  /** The link that is not ours and carries this very address, which is not ours either. */
  public Optional<String> foreignCarrier(InterfaceAddress address) {
    return addresses.stream()
        .filter(one -> one.address().equals(address) && !isOurs(one))
        .flatMap(one -> link(one.link()).stream())
        .map(KernelLink::name)
        .sorted()
        .findFirst();
  }

  /** A VLAN as its tunnel tells of it. */
  public record StandingVlan(String name, Vni vni, int port) {}

  /** The VLAN of which this host has a subnet in the range. */
  public Optional<StandingVlan> vlanIn(Cidr range) {
    return addresses.stream()
        .filter(address -> range.contains(address.address().address()))
        .flatMap(address -> link(address.link()).filter(Mark::isOurs).stream())
        .flatMap(link ->
            link.kind() instanceof KernelLink.Vxlan tunnel
                ? Stream.of(new StandingVlan(Mark.vlan(link), tunnel.vni(), tunnel.port()))
                : Stream.empty())
        .findFirst();
  }

  /**
   * The peers in the range to whom routes of ours lead, by a tunnel or without one.
   *
   * @param anyMac in place of that of a peer without a tunnel, which nothing here tells
   */
  public List<Peer> standingPeers(Cidr range, String vxlan, MacAddress anyMac) {
    return routes.stream()
        .filter(route -> route.isOurs() && range.contains(route.destination()))
        .flatMap(route ->
            route.link().equals(vxlan)
                ? tunneled(route, vxlan)
                : route.gateway().stream()
                    .map(host -> new Peer(route.destination(), host, anyMac, true)))
        .toList();
  }

  private Stream<Peer> tunneled(KernelRoute route, String vxlan) {
    return neighbors.stream()
        .filter(n -> n.link().equals(vxlan) && n.address().equals(route.destination().base()))
        .flatMap(n -> fdb.stream().filter(e -> e.link().equals(vxlan) && e.mac().equals(n.mac())))
        .map(entry -> new Peer(route.destination(), entry.destination(), entry.mac(), false));
  }

  /** By VLAN, the tunnels and bridges that are its alone. */
  public Map<String, List<KernelLink>> vlanLinks() {
    return links.values().stream()
        .filter(link -> Mark.isOurs(link) && !(link.kind() instanceof KernelLink.Veth))
        .filter(link -> !Mark.isShared(link))
        .collect(Collectors.groupingBy(Mark::vlan));
  }

  /**
   * A port of ours on a bridge that VLANs may share.
   *
   * @param vlan whose it is by its alias, as far as that is told
   */
  public record SharedPort(String vlan, Vni vni, String bridge) {}

  /** All of those. */
  public List<SharedPort> sharedPorts() {
    return links.values().stream()
        .filter(Mark::isOurs)
        .flatMap(link ->
            PortGroup.vni(link.group())
                .flatMap(vni ->
                    link.master()
                        .filter(links::containsKey)
                        .map(bridge -> new SharedPort(Mark.vlan(link), vni, bridge)))
                .stream())
        .toList();
  }

  /** Whether a route is ours, or came with an address of ours. */
  public boolean isOurs(KernelRoute route) {
    return route.isOurs()
        || link(route.link()).filter(Mark::isOurs).isPresent()
        || addresses.stream()
            .anyMatch(address ->
                address.labelled()
                    && address.link().equals(route.link())
                    && address.address().subnet().equals(route.destination()));
  }

  /** Whether the link's own subnets hold the address, so that no gateway lies between. */
  public boolean isOnLink(String link, IpAddress address) {
    return routes.stream()
        .anyMatch(route ->
            route.link().equals(link)
                && route.gateway().isEmpty()
                && route.destination().length() > 0
                && route.destination().contains(address));
  }

  /** What the kernel would show once the change is made; the model that the plan's laws run on. */
  KernelState after(Change change) {
    return switch (change) {
      case Change.AddLink add -> withLink(add.link());
      case Change.AddVeth add ->
          withLink(add.hostEnd()).withSettings(union(settings, portSettings(add.hostEnd())));
      case Change.SetMtu set -> withLink(existing(set.link()).withMtu(set.mtu()));
      case Change.SetMac set -> withLink(existing(set.link()).withMac(set.mac()));
      case Change.SetGroup set -> withLink(existing(set.link()).withGroup(set.group()));
      case Change.SetAlias set -> withLink(existing(set.link()).withAlias(set.alias()));
      case Change.SetMaster set ->
          withLink(existing(set.link()).withMaster(Optional.of(set.master())))
              .withSettings(
                  without(settings, s -> s.name().isOfPort() && s.link().equals(set.link())));
      case Change.SetUp set -> withLink(existing(set.link()).withUp());
      case Change.DeleteLink delete -> withoutLink(delete.link());
      case Change.PutSetting put -> with(settings, put.setting(), this::withSettings);
      case Change.AddAddress add -> with(addresses, add.address(), this::withAddresses);
      case Change.DeleteAddress delete ->
          withAddresses(without(addresses, delete.address()::equals));
      case Change.PutNeighbor put ->
          withNeighbors(
              plus(without(neighbors, n -> sameTarget(n, put.neighbor())), put.neighbor()));
      case Change.DeleteNeighbor delete ->
          withNeighbors(without(neighbors, delete.neighbor()::equals));
      case Change.PutFdb put ->
          withFdb(
              plus(
                  without(
                      fdb,
                      e ->
                          e.link().equals(put.entry().link()) && e.mac().equals(put.entry().mac())),
                  put.entry()));
      case Change.DeleteFdb delete -> withFdb(without(fdb, delete.entry()::equals));
      case Change.PutRoute put ->
          withRoutes(
              plus(
                  without(routes, r -> r.destination().equals(put.route().destination())),
                  put.route()));
      case Change.DeleteRoute delete -> withRoutes(without(routes, delete.route()::equals));
    };
  }

  private static boolean sameTarget(LinkNeighbor a, LinkNeighbor b) {
    return a.link().equals(b.link()) && a.address().equals(b.address());
  }

  private KernelLink existing(String name) {
    return link(name).orElseThrow(() -> new IllegalStateException("no link " + name));
  }

  private KernelState withLink(KernelLink link) {
    Map<String, KernelLink> next = new HashMap<>(links);
    next.put(link.name(), link);
    return new KernelState(next, addresses, neighbors, fdb, routes, settings);
  }

  /** The kernel takes everything that hangs on a link away with it, and frees a bridge's ports. */
  private KernelState withoutLink(String name) {
    Map<String, KernelLink> next = new HashMap<>(links);
    next.remove(name);
    next.replaceAll((_, link) ->
        link.master().equals(Optional.of(name)) ? link.withMaster(Optional.empty()) : link);
    return new KernelState(
        next,
        without(addresses, a -> a.link().equals(name)),
        without(neighbors, n -> n.link().equals(name)),
        without(fdb, e -> e.link().equals(name)),
        without(routes, r -> r.link().equals(name)),
        without(
            settings,
            s -> s.link().equals(name) || (s.name().isOfPort() && isPort(s.link(), name))));
  }

  private boolean isPort(String link, String bridge) {
    return link(link).flatMap(KernelLink::master).equals(Optional.of(bridge));
  }

  /** What a port is made with. */
  private static Set<LinkSetting> portSettings(KernelLink port) {
    LinkSetting hairpin = new LinkSetting(port.name(), LinkSetting.Name.HAIRPIN);
    return PortGroup.vni(port.group()).isPresent()
        ? Set.of(hairpin, new LinkSetting(port.name(), LinkSetting.Name.GROUP_FORWARD))
        : Set.of(hairpin);
  }

  private KernelState withAddresses(Set<LinkAddress> next) {
    return new KernelState(links, next, neighbors, fdb, routes, settings);
  }

  private KernelState withNeighbors(Set<LinkNeighbor> next) {
    return new KernelState(links, addresses, next, fdb, routes, settings);
  }

  private KernelState withFdb(Set<LinkFdb> next) {
    return new KernelState(links, addresses, neighbors, next, routes, settings);
  }

  private KernelState withRoutes(Set<KernelRoute> next) {
    return new KernelState(links, addresses, neighbors, fdb, next, settings);
  }

  private KernelState withSettings(Set<LinkSetting> next) {
    return new KernelState(links, addresses, neighbors, fdb, routes, next);
  }

  private static <T> KernelState with(
      Set<T> all, T one, java.util.function.Function<Set<T>, KernelState> make) {
    return make.apply(plus(all, one));
  }

  private static <T> Set<T> plus(Set<T> all, T one) {
    return union(all, Set.of(one));
  }

  private static <T> Set<T> union(Set<T> all, Set<T> more) {
    Set<T> next = new HashSet<>(all);
    next.addAll(more);
    return next;
  }

  private static <T> Set<T> without(Set<T> all, Predicate<T> gone) {
    Set<T> next = new HashSet<>(all);
    next.removeIf(gone);
    return next;
  }
}
