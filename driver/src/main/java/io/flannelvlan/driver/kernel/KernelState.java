package io.flannelvlan.driver.kernel;

import io.flannelvlan.net.IpAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

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

  /** Whether a route is ours, or came with an address on one of our links. */
  public boolean isOurs(KernelRoute route) {
    return route.isOurs() || link(route.link()).filter(Mark::isOurs).isPresent();
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
          withLink(add.hostEnd()).withSettings(plus(settings, hairpin(add.hostEnd().name())));
      case Change.SetMtu set -> withLink(existing(set.link()).withMtu(set.mtu()));
      case Change.SetMac set -> withLink(existing(set.link()).withMac(set.mac()));
      case Change.SetMaster set ->
          withLink(existing(set.link()).withMaster(set.master()))
              .withSettings(without(settings, hairpin(set.link())::equals));
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
        link.master().equals(Optional.of(name))
            ? new KernelLink(
                link.name(),
                link.kind(),
                link.mac(),
                link.mtu(),
                link.up(),
                Optional.empty(),
                link.alias())
            : link);
    return new KernelState(
        next,
        without(addresses, a -> a.link().equals(name)),
        without(neighbors, n -> n.link().equals(name)),
        without(fdb, e -> e.link().equals(name)),
        without(routes, r -> r.link().equals(name)),
        without(settings, s -> s.link().equals(name) || (isHairpin(s) && isPort(s.link(), name))));
  }

  private boolean isPort(String link, String bridge) {
    return link(link).flatMap(KernelLink::master).equals(Optional.of(bridge));
  }

  private static LinkSetting hairpin(String port) {
    return new LinkSetting(port, LinkSetting.Name.HAIRPIN);
  }

  private static boolean isHairpin(LinkSetting setting) {
    return setting.name() == LinkSetting.Name.HAIRPIN;
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
    Set<T> next = new HashSet<>(all);
    next.add(one);
    return next;
  }

  private static <T> Set<T> without(Set<T> all, Predicate<T> gone) {
    Set<T> next = new HashSet<>(all);
    next.removeIf(gone);
    return next;
  }
}
