package io.flannelvlan.driver.kernel;

import io.flannelvlan.driver.kernel.Desired.DesiredEndpoint;
import io.flannelvlan.driver.kernel.Desired.DesiredVlan;
import io.flannelvlan.driver.kernel.Desired.Peer;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The steps from a kernel state to the desired one, pure.
 *
 * <p>Order: links, settings, addresses, neighbours, FDB, routes, so that the kernel never resolves
 * a gateway it does not know yet; then what is not wanted any more, backwards. A replacement is put
 * before the old one goes. A link that is in our way but not ours is a {@link Conflict}, not a
 * change.
 *
 * <p>Deleting an incompatible link takes along what hung on it; the next plan, made from the next
 * dump, puts that back. So a pass repeats until its plan is empty.
 */
public record Plan(List<Change> changes, List<Conflict> conflicts) {

  /** A foreign object where one of ours should be. */
  public record Conflict(String vlan, String text) {}

  public Plan {
    changes = List.copyOf(changes);
    conflicts = List.copyOf(conflicts);
  }

  public static Plan between(Desired desired, KernelState state) {
    return new Builder(desired, state).build();
  }

  private static final class Builder {

    private final Desired desired;
    private final KernelState state;
    private final List<Change> links = new ArrayList<>();
    private final List<Change> entries = new ArrayList<>();
    private final List<Change> removals = new ArrayList<>();
    private final List<Conflict> conflicts = new ArrayList<>();
    private final Set<String> wantedLinks = new HashSet<>();

    Builder(Desired desired, KernelState state) {
      this.desired = desired;
      this.state = state;
    }

    Plan build() {
      for (DesiredVlan vlan : desired.vlans()) {
        if (links(vlan)) {
          addresses(vlan);
          vlan.peers().ifPresent(peers -> peers(vlan, peers));
        }
      }
      removeRoutes();
      removeLinks();
      List<Change> all = new ArrayList<>(links);
      all.addAll(entries);
      all.addAll(removals);
      return new Plan(all, conflicts);
    }

    /** False if a foreign link stands where the bridge or the vxlan link should be. */
    private boolean links(DesiredVlan vlan) {
      wantedLinks.add(vlan.links().bridge());
      wantedLinks.add(vlan.links().vxlan());
      // Whatever stands in our way, the containers' links are not what is wrong.
      vlan.endpoints().forEach(endpoint -> wantedLinks.add(endpoint.hostLink()));
      // Both are looked at, so that one conflict does not hide the other.
      boolean bridgeFree = link(vlan, bridge(vlan));
      boolean vxlanFree = link(vlan, vxlan(vlan));
      boolean free = bridgeFree && vxlanFree;
      if (free) {
        vlan.endpoints().forEach(endpoint -> endpoint(vlan, endpoint));
        setting(vlan, vlan.links().bridge(), LinkSetting.Name.FORWARDING);
        setting(vlan, vlan.links().bridge(), LinkSetting.Name.ROUTE_LOCALNET);
        setting(vlan, vlan.links().vxlan(), LinkSetting.Name.FORWARDING);
        setting(vlan, vlan.links().tunnel().underlay(), LinkSetting.Name.FORWARDING);
      }
      return free;
    }

    private boolean link(DesiredVlan vlan, KernelLink wanted) {
      Optional<KernelLink> present = state.link(wanted.name());
      if (present.isEmpty()) {
        Optional<Rival> rival = Rival.of(wanted, state);
        rival.ifPresentOrElse(
            r -> conflict(vlan, r.link(), r.need()),
            () -> links.add(new Change.AddLink(vlan.name(), wanted)));
        return rival.isEmpty();
      }
      KernelLink link = present.get();
      if (!Mark.isOurs(link)) {
        conflict(vlan, link, exists(link));
        return false;
      }
      if (!link.kind().equals(wanted.kind()) || !link.alias().equals(wanted.alias())) {
        links.add(new Change.DeleteLink(vlan.name(), link.name()));
        links.add(new Change.AddLink(vlan.name(), wanted));
        return true;
      }
      traits(vlan, link, wanted);
      return true;
    }

    private static String exists(KernelLink link) {
      return "link " + link.name() + ", which exists";
    }

    private void conflict(DesiredVlan vlan, KernelLink link, String need) {
      conflicts.add(
          new Conflict(
              vlan.name(),
              "VLAN "
                  + vlan.name()
                  + " needs "
                  + need
                  + " already and is not flannelvlan's. Stop what made it (stock flanneld?) and remove it:"
                  + " ip link del "
                  + link.name()));
    }

    private void traits(DesiredVlan vlan, KernelLink link, KernelLink wanted) {
      if (wanted.mac().isPresent() && !wanted.mac().equals(link.mac())) {
        links.add(new Change.SetMac(vlan.name(), link.name(), wanted.mac().get()));
      }
      if (link.mtu() != wanted.mtu()) {
        links.add(new Change.SetMtu(vlan.name(), link.name(), wanted.mtu()));
      }
      if (wanted.master().isPresent() && !wanted.master().equals(link.master())) {
        links.add(new Change.SetMaster(vlan.name(), link.name(), wanted.master().get()));
      }
      if (!link.up()) {
        links.add(new Change.SetUp(vlan.name(), link.name()));
      }
    }

    private void endpoint(DesiredVlan vlan, DesiredEndpoint endpoint) {
      KernelLink wanted = hostEnd(vlan, endpoint);
      Optional<KernelLink> present = state.link(endpoint.hostLink());
      if (present.isPresent()) {
        if (Mark.isOurs(present.get())) {
          traits(vlan, present.get(), wanted);
          hairpin(vlan, present.get(), wanted);
        } else {
          conflict(vlan, present.get(), exists(present.get()));
        }
      } else if (!endpoint.joined()) {
        links.add(new Change.AddVeth(vlan.name(), wanted, endpoint.sandboxLink(), endpoint.mac()));
      }
    }

    /** A port that comes to its bridge anew, as after the bridge was deleted, begins without. */
    private void hairpin(DesiredVlan vlan, KernelLink port, KernelLink wanted) {
      LinkSetting hairpin = new LinkSetting(port.name(), LinkSetting.Name.HAIRPIN);
      if (!port.master().equals(wanted.master()) || !state.settings().contains(hairpin)) {
        entries.add(new Change.PutSetting(vlan.name(), hairpin));
      }
    }

    private void setting(DesiredVlan vlan, String link, LinkSetting.Name name) {
      LinkSetting setting = new LinkSetting(link, name);
      if (!link.isEmpty() && !state.settings().contains(setting)) {
        entries.add(new Change.PutSetting(vlan.name(), setting));
      }
    }

    private void addresses(DesiredVlan vlan) {
      Set<LinkAddress> wanted = new HashSet<>();
      for (Cidr subnet : vlan.subnets()) {
        wanted.add(new LinkAddress(vlan.links().bridge(), subnet.at(1)));
        wanted.add(new LinkAddress(vlan.links().vxlan(), new InterfaceAddress(subnet.base(), 32)));
      }
      sorted(wanted).stream()
          .filter(address -> !state.addresses().contains(address))
          .forEach(address -> entries.add(new Change.AddAddress(vlan.name(), address)));
      sorted(state.addresses()).stream()
          .filter(address -> carries(vlan, address.link()) && !wanted.contains(address))
          .forEach(address -> removals.add(new Change.DeleteAddress(vlan.name(), address)));
    }

    private void peers(DesiredVlan vlan, List<Peer> peers) {
      String vxlan = vlan.links().vxlan();
      // By the key under which the kernel keeps one of each: two leases that claim the same MAC or
      // base address must not make the plan swing between them for ever.
      Map<IpAddress, LinkNeighbor> neighbors = new TreeMap<>();
      Map<MacAddress, LinkFdb> fdb = new LinkedHashMap<>();
      Map<Cidr, KernelRoute> routes = new TreeMap<>();
      for (Peer peer : peers) {
        if (!peer.direct()) {
          neighbors.putIfAbsent(
              peer.subnet().base(), new LinkNeighbor(vxlan, peer.subnet().base(), peer.vtepMac()));
          fdb.putIfAbsent(peer.vtepMac(), new LinkFdb(vxlan, peer.vtepMac(), peer.publicAddress()));
        }
        routes.putIfAbsent(peer.subnet(), route(vlan, peer));
      }
      difference(neighbors.values(), state.neighbors())
          .forEach(n -> entries.add(new Change.PutNeighbor(vlan.name(), n)));
      difference(fdb.values(), state.fdb())
          .forEach(e -> entries.add(new Change.PutFdb(vlan.name(), e)));
      difference(routes.values(), state.routes()).forEach(route -> route(vlan, route));
      stale(vlan, neighbors.keySet(), fdb.keySet());
    }

    private void route(DesiredVlan vlan, KernelRoute wanted) {
      Optional<KernelRoute> foreign =
          state.routes().stream()
              .filter(r -> r.destination().equals(wanted.destination()) && !r.isOurs())
              .findFirst();
      foreign.ifPresentOrElse(
          route ->
              conflicts.add(
                  new Conflict(
                      vlan.name(),
                      "VLAN "
                          + vlan.name()
                          + " needs a route to "
                          + wanted.destination()
                          + ", but this host has one that is not flannelvlan's: "
                          + route)),
          () -> entries.add(new Change.PutRoute(vlan.name(), wanted)));
    }

    /**
     * Neighbours by address and FDB entries by MAC are overwritten in place; only those whose
     * address or MAC nobody has any more are removed.
     */
    private void stale(DesiredVlan vlan, Set<IpAddress> addresses, Set<MacAddress> macs) {
      String vxlan = vlan.links().vxlan();
      sorted(state.fdb()).stream()
          .filter(entry -> entry.link().equals(vxlan) && !macs.contains(entry.mac()))
          .forEach(entry -> removals.add(new Change.DeleteFdb(vlan.name(), entry)));
      sorted(state.neighbors()).stream()
          .filter(n -> n.link().equals(vxlan) && !addresses.contains(n.address()))
          .forEach(n -> removals.add(new Change.DeleteNeighbor(vlan.name(), n)));
    }

    /** Routes with our mark that no peer wants; those of a VLAN without known peers stay. */
    private void removeRoutes() {
      List<Change> gone = new ArrayList<>();
      for (KernelRoute route : sorted(state.routes())) {
        if (!route.isOurs()) {
          continue;
        }
        Optional<DesiredVlan> vlan =
            desired.vlans().stream()
                .filter(v -> v.range().contains(route.destination()))
                .findFirst();
        boolean wanted =
            vlan.isPresent()
                && vlan.get()
                    .peers()
                    .map(all -> all.stream().anyMatch(p -> p.subnet().equals(route.destination())))
                    .orElse(true);
        if (!wanted && desired.faults().stream().noneMatch(f -> hides(f, route))) {
          gone.add(new Change.DeleteRoute(vlan.map(DesiredVlan::name).orElse("-"), route));
        }
      }
      removals.addAll(0, gone);
    }

    private boolean hides(Desired.Fault fault, KernelRoute route) {
      return isUntold(fault) && fault.range().contains(route.destination());
    }

    private boolean hides(Desired.Fault fault, KernelLink link) {
      return isUntold(fault) && fault.vlan().equals(Mark.vlan(link));
    }

    /** Whether the fault leaves nothing to say about its VLAN: never delete on ignorance. */
    private boolean isUntold(Desired.Fault fault) {
      return desired.vlans().stream().noneMatch(vlan -> vlan.name().equals(fault.vlan()));
    }

    /** Ports before bridges, so that no bridge goes while a container still hangs on it. */
    private void removeLinks() {
      List<KernelLink> gone =
          state.links().values().stream()
              .filter(link -> Mark.isOurs(link) && !wantedLinks.contains(link.name()))
              .filter(link -> desired.faults().stream().noneMatch(f -> hides(f, link)))
              .toList();
      for (Class<?> kind :
          List.of(KernelLink.Veth.class, KernelLink.Vxlan.class, KernelLink.Bridge.class)) {
        gone.stream()
            .filter(link -> kind.isInstance(link.kind()))
            .sorted(Comparator.comparing(KernelLink::name))
            .forEach(link -> removals.add(new Change.DeleteLink(Mark.vlan(link), link.name())));
      }
    }

    private static KernelRoute route(DesiredVlan vlan, Peer peer) {
      return peer.direct()
          ? new KernelRoute(
              peer.subnet(),
              Optional.of(peer.publicAddress()),
              vlan.links().tunnel().underlay(),
              false,
              Mark.ROUTE_PROTOCOL)
          : new KernelRoute(
              peer.subnet(),
              Optional.of(peer.subnet().base()),
              vlan.links().vxlan(),
              true,
              Mark.ROUTE_PROTOCOL);
    }

    private static KernelLink bridge(DesiredVlan vlan) {
      // A fixed MAC: left alone, a bridge takes the lowest of its ports', and every container would
      // have to learn its gateway anew whenever that changes.
      return new KernelLink(
          vlan.links().bridge(),
          new KernelLink.Bridge(),
          vlan.subnets().stream().findFirst().map(s -> MacAddress.ofEndpoint(s.base().plus(1))),
          vlan.mtu(),
          true,
          Optional.empty(),
          Mark.alias(vlan.name()));
    }

    private static KernelLink vxlan(DesiredVlan vlan) {
      return new KernelLink(
          vlan.links().vxlan(),
          vlan.links().tunnel(),
          Optional.of(vlan.links().vxlanMac()),
          vlan.mtu(),
          true,
          Optional.empty(),
          Mark.alias(vlan.name()));
    }

    private static KernelLink hostEnd(DesiredVlan vlan, DesiredEndpoint endpoint) {
      return new KernelLink(
          endpoint.hostLink(),
          new KernelLink.Veth(/* peerAway= */ false),
          Optional.empty(),
          vlan.mtu(),
          true,
          Optional.of(vlan.links().bridge()),
          Mark.alias(vlan.name()));
    }

    private static boolean carries(DesiredVlan vlan, String link) {
      return link.equals(vlan.links().bridge()) || link.equals(vlan.links().vxlan());
    }

    private static <T> List<T> difference(Collection<T> wanted, Set<T> present) {
      return sorted(wanted).stream().filter(one -> !present.contains(one)).toList();
    }

    /** By text: the same plan for the same states, whatever order sets have. */
    private static <T> List<T> sorted(Collection<T> all) {
      return all.stream().sorted(Comparator.comparing(Object::toString)).toList();
    }
  }

  /** The changes as a script. */
  @Override
  public String toString() {
    return changes.stream().map(Change::toString).collect(Collectors.joining("\n"));
  }
}
