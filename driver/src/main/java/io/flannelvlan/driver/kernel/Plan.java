package io.flannelvlan.driver.kernel;

import io.flannelvlan.driver.kernel.Desired.DesiredEndpoint;
import io.flannelvlan.driver.kernel.Desired.DesiredVlan;
import io.flannelvlan.driver.kernel.Desired.Peer;
import io.flannelvlan.net.Cidr;
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
import java.util.function.Predicate;
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
    private final AddressSteps addresses;

    Builder(Desired desired, KernelState state) {
      this.desired = desired;
      this.state = state;
      this.addresses = new AddressSteps(desired, state);
    }

    Plan build() {
      for (DesiredVlan vlan : desired.vlans()) {
        if (links(vlan)) {
          entries.addAll(addresses.missing(vlan));
          removals.addAll(addresses.stale(vlan));
          vlan.peers().ifPresent(peers -> peers(vlan, peers));
        }
      }
      removals.addAll(addresses.staleOnShared(wantedLinks));
      switch (desired.extent()) {
        case ALL -> {
          removeRoutes();
          removeLinks(_ -> true);
        }
        case HAD_BACK -> removeLinks(link -> hasEnded(link) || isOutOfUse(link));
        case BEGUN -> removeLinks(this::hasEnded);
      }
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
      boolean bridgeFree = bridge(vlan, DesiredBridge.of(vlan, desired));
      boolean vxlanFree = link(vlan, DesiredLinks.vxlan(vlan, state));
      boolean free = bridgeFree && vxlanFree;
      if (free) {
        vlan.endpoints().forEach(endpoint -> endpoint(vlan, endpoint));
        setting(vlan, vlan.links().bridge(), LinkSetting.Name.FORWARDING);
        if (!vlan.links().usersBridge()) {
          // Once this VLAN is gone, nothing would keep the user's stations from his loopback.
          setting(vlan, vlan.links().bridge(), LinkSetting.Name.ROUTE_LOCALNET);
        }
        setting(vlan, vlan.links().vxlan(), LinkSetting.Name.FORWARDING);
        setting(vlan, vlan.links().tunnel().underlay(), LinkSetting.Name.FORWARDING);
      }
      return free;
    }

    /** The first VLAN's wish makes the bridge; that it can't be concerns all that are on it. */
    private boolean bridge(DesiredVlan vlan, DesiredBridge bridge) {
      if (!bridge.isUsers()) {
        return !vlan.equals(bridge.vlans().getFirst())
            ? isFree(vlan, bridge.name())
            : link(vlan, bridge.wanted(state));
      }
      Optional<DesiredBridge.Trouble> trouble = bridge.trouble(state);
      trouble.ifPresent(t ->
          conflicts.add(
              new Conflict(
                  vlan.name(), "bridge " + bridge.name() + ", which is yours, " + t.words())));
      return trouble.filter(DesiredBridge.Trouble::missing).isEmpty();
    }

    private boolean isFree(DesiredVlan vlan, String name) {
      Optional<KernelLink> foreign = state.link(name).filter(link -> !Mark.isOurs(link));
      foreign.ifPresent(link -> conflict(vlan, link, exists(link)));
      return foreign.isEmpty();
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
      if (!isFree(vlan, link.name())) {
        return false;
      }
      boolean sameOwner =
          link.alias().equals(wanted.alias()) || Mark.isShared(wanted) || Mark.isNameless(link);
      if (!link.kind().equals(wanted.kind()) || !sameOwner) {
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
      if (!wanted.alias().equals(link.alias())) {
        links.add(new Change.SetAlias(vlan.name(), link.name(), wanted.alias()));
      }
      if (wanted.group() != link.group()) {
        // Before it comes to its bridge, where the group says whose port it is.
        links.add(new Change.SetGroup(vlan.name(), link.name(), wanted.group()));
      }
      if (wanted.master().isPresent() && !wanted.master().equals(link.master())) {
        links.add(new Change.SetMaster(vlan.name(), link.name(), wanted.master().get()));
      }
      if (!link.up()) {
        links.add(new Change.SetUp(vlan.name(), link.name()));
      }
    }

    private void endpoint(DesiredVlan vlan, DesiredEndpoint endpoint) {
      KernelLink wanted = DesiredLinks.hostEnd(vlan, endpoint);
      Optional<KernelLink> present = state.link(endpoint.hostLink());
      if (present.isPresent()) {
        if (Mark.isOurs(present.get())) {
          traits(vlan, present.get(), wanted);
          portSetting(vlan, present.get(), wanted, LinkSetting.Name.HAIRPIN);
          if (vlan.sharesBridge()) {
            portSetting(vlan, present.get(), wanted, LinkSetting.Name.GROUP_FORWARD);
          }
        } else {
          conflict(vlan, present.get(), exists(present.get()));
        }
      } else if (!endpoint.joined()) {
        links.add(new Change.AddVeth(vlan.name(), wanted, endpoint.sandboxLink(), endpoint.mac()));
      }
    }

    /** A port that comes to its bridge anew, as after the bridge was deleted, begins without. */
    private void portSetting(
        DesiredVlan vlan, KernelLink port, KernelLink wanted, LinkSetting.Name name) {
      LinkSetting setting = new LinkSetting(port.name(), name);
      if (!port.master().equals(wanted.master()) || !state.settings().contains(setting)) {
        entries.add(new Change.PutSetting(vlan.name(), setting));
      }
    }

    private void setting(DesiredVlan vlan, String link, LinkSetting.Name name) {
      LinkSetting setting = new LinkSetting(link, name);
      if (!link.isEmpty() && !state.settings().contains(setting)) {
        entries.add(new Change.PutSetting(vlan.name(), setting));
      }
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
      sorted(state.fdb(), entry -> entry.link().equals(vxlan) && !macs.contains(entry.mac()))
          .forEach(entry -> removals.add(new Change.DeleteFdb(vlan.name(), entry)));
      sorted(state.neighbors(), n -> n.link().equals(vxlan) && !addresses.contains(n.address()))
          .forEach(n -> removals.add(new Change.DeleteNeighbor(vlan.name(), n)));
    }

    /** Routes with our mark that no peer wants; those of a VLAN without known peers stay. */
    private void removeRoutes() {
      List<Change> gone = new ArrayList<>();
      for (KernelRoute route : sorted(state.routes(), KernelRoute::isOurs)) {
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
      return desired.isUntold(fault) && fault.range().contains(route.destination());
    }

    private boolean hides(Desired.Fault fault, KernelLink link) {
      return desired.isUntold(fault)
          && (Mark.isShared(link)
              ? state.addresses().stream()
                  .anyMatch(a ->
                      a.link().equals(link.name()) && fault.range().contains(a.address().address()))
              : fault.vlan().equals(Mark.vlan(link)));
    }

    /** Its end was asked for: whose it is need not be known. */
    private boolean hasEnded(KernelLink link) {
      return desired.ended().contains(link.name());
    }

    /** In no sandbox, whatever records of it were lost. */
    private static boolean isOutOfUse(KernelLink link) {
      return link.kind() instanceof KernelLink.Veth veth && !veth.peerAway();
    }

    /** Ports before bridges, so that no bridge goes while a container still hangs on it. */
    private void removeLinks(Predicate<KernelLink> which) {
      List<KernelLink> gone =
          state.links().values().stream()
              .filter(link -> Mark.isOurs(link) && !wantedLinks.contains(link.name()))
              .filter(which)
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

    private static <T> List<T> difference(Collection<T> wanted, Set<T> present) {
      return sorted(wanted, one -> !present.contains(one));
    }
  }

  /**
   * These of all by text: the same plan for the same states, whatever order sets have. Only these
   * are put into words: a host has thousands of entries, and as a rule none that is wrong.
   */
  static <T> List<T> sorted(Collection<T> all, Predicate<T> which) {
    return all.stream().filter(which).sorted(Comparator.comparing(Object::toString)).toList();
  }

  /** The changes as a script. */
  @Override
  public String toString() {
    return changes.stream().map(Change::toString).collect(Collectors.joining("\n"));
  }
}
