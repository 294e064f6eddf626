package io.flannelvlan.driver;

import io.flannelvlan.driver.kernel.Desired;
import io.flannelvlan.driver.kernel.Desired.DesiredEndpoint;
import io.flannelvlan.driver.kernel.Desired.DesiredVlan;
import io.flannelvlan.driver.kernel.Desired.Fault;
import io.flannelvlan.driver.kernel.Desired.Links;
import io.flannelvlan.driver.kernel.Desired.Peer;
import io.flannelvlan.driver.kernel.KernelLink;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.Vxlan;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.net.MacAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the kernel should hold, from what the handlers recorded and etcd showed.
 *
 * <p>Called on the kernel thread; reads memory only.
 */
final class Wishes {

  private static final Logger LOG = LoggerFactory.getLogger(Wishes.class);

  private final HostVlans vlans;
  private final Networks networks;
  private final Endpoints endpoints;
  private final FirewallWishes firewall;
  private final Supplier<Desired.Extent> extent;
  private final LostLinks lost = new LostLinks();

  /**
   * What those records wish for.
   *
   * @param extent how much the records tell
   */
  Wishes(
      HostVlans vlans,
      Networks networks,
      Endpoints endpoints,
      DockersBridges bridges,
      Supplier<Desired.Extent> extent,
      boolean masquerade) {
    this.extent = extent;
    this.vlans = vlans;
    this.networks = networks;
    this.endpoints = endpoints;
    this.firewall = new FirewallWishes(networks, endpoints, bridges, masquerade);
  }

  Desired desired(KernelState state) {
    // Before the tables: all that is had back stands in them by the time that nothing is lost.
    Desired.Extent known = extent.get();
    lost.look(endpoints.all(), state).forEach(this::tell);
    List<DesiredVlan> all = new ArrayList<>();
    List<Fault> faults = new ArrayList<>();
    for (VlanLinks links : networks.links()) {
      vlans
          .byName(links.vlan())
          .ifPresent(vlan -> {
            try {
              all.add(desired(vlan, links, state));
            } catch (IllegalArgumentException e) {
              faults.add(new Fault(vlan.name(), vlan.range(), String.valueOf(e.getMessage())));
            }
          });
    }
    FirewallWishes.Told told = firewall.rules(all, PlainLinks.of(vlans.all(), state), state);
    faults.addAll(told.faults());
    // Without its rules a VLAN would be open to all others.
    List<DesiredVlan> ruled = all.stream().filter(told::has).toList();
    Predicate<String> stays =
        vlan -> known != Desired.Extent.ALL || faults.stream().anyMatch(f -> f.vlan().equals(vlan));
    return new Desired(
        ruled,
        told.rules()
            .with(FirewallWishes.fences(ruled, stays, state), NamedBridges.of(ruled, stays, state)),
        faults,
        known,
        endpoints.endedLinks(state));
  }

  private void tell(Endpoint endpoint) {
    if (CniNetworks.isOne(endpoint.network())) {
      // What ends its pods' namespaces need not say so first: as a rule nothing is wrong.
      LOG.info(
          "link {} of endpoint {} with {} is gone: its network namespace ended, or it was deleted",
          endpoint.hostLink(),
          endpoint.id(),
          endpoint.address().address());
      return;
    }
    LOG.error(
        "link {} of endpoint {} was deleted, and with it the container's end: restart the container"
            + " that has {} in network {}",
        endpoint.hostLink(),
        endpoint.id(),
        endpoint.address().address(),
        endpoint.network());
  }

  private DesiredVlan desired(HostVlan vlan, VlanLinks links, KernelState state) {
    return new DesiredVlan(
        vlan.name(),
        vlan.vni(),
        vlan.range(),
        vlan.subnets(),
        links(vlan.vlan(), links, vlan.vtepMac()),
        links.mtu(),
        vlans
            .peers(vlan.name())
            .map(leases -> peers(vlan, links, leases, state))
            .map(known ->
                vlans.leases(vlan.name()).isPresent() ? known : withStanding(vlan, known, state)),
        endpointsOf(vlan.name()));
  }

  static Links links(Vlan vlan, VlanLinks links, MacAddress vtepMac) {
    Vxlan backend = vlan.config().backend();
    return new Links(
        links.bridge(),
        links.usersBridge(),
        LinkNames.vxlan(vlan.vni()),
        new KernelLink.Vxlan(
            vlan.vni(),
            links.underlay(),
            Optional.of(links.local()),
            backend.port(),
            backend.learning(),
            backend.gbp()),
        vtepMac);
  }

  /**
   * The other hosts' leases. One that overlaps a subnet of this host, or lies outside the VLAN, is
   * no peer: a route to it would take this host's own containers, or foreign addresses, away.
   */
  private static List<Peer> peers(
      HostVlan vlan, VlanLinks links, List<Lease> leases, KernelState state) {
    List<Peer> peers = new ArrayList<>();
    for (Lease lease : leases) {
      boolean sane =
          !vlan.owns(lease)
              && vlan.range().contains(lease.subnet())
              && vlan.subnets().stream().noneMatch(lease.subnet()::overlaps)
              && vlan.plain()
                  .filter(p -> p.leased() && lease.subnet().overlaps(p.subnet()))
                  .isEmpty();
      Optional<MacAddress> mac = lease.attributes().vtepMac();
      if (sane && mac.isPresent()) {
        boolean direct =
            vlan.config().backend().directRouting()
                && state.isOnLink(links.underlay(), lease.publicIp());
        peers.add(new Peer(lease.subnet(), lease.publicIp(), mac.get(), direct));
      }
    }
    return peers;
  }

  /**
   * Until etcd has shown itself, what is known is from the journal, which is written some time
   * after a peer came: a way that the kernel has all the same is no mistake of its.
   */
  private static List<Peer> withStanding(HostVlan vlan, List<Peer> known, KernelState state) {
    List<Peer> all = new ArrayList<>(known);
    state.standingPeers(vlan.range(), LinkNames.vxlan(vlan.vni()), vlan.vtepMac()).stream()
        .filter(peer -> known.stream().noneMatch(k -> k.subnet().overlaps(peer.subnet())))
        .filter(peer -> vlan.subnets().stream().noneMatch(peer.subnet()::overlaps))
        .forEach(all::add);
    return all;
  }

  private List<DesiredEndpoint> endpointsOf(String vlan) {
    List<DesiredEndpoint> all = new ArrayList<>();
    for (Endpoint endpoint : endpoints.all()) {
      if (endpoint.state() != Endpoint.State.LEFT
          && networks.find(endpoint.network()).filter(n -> n.vlan().equals(vlan)).isPresent()) {
        all.add(
            new DesiredEndpoint(
                endpoint.hostLink(),
                endpoint.sandboxLink(),
                endpoint.mac(),
                endpoint.state() != Endpoint.State.CREATED));
      }
    }
    return all;
  }
}
