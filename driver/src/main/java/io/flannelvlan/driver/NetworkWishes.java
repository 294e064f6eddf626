package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.NetworkApi.CreateNetworkRequest;
import io.flannelvlan.dockerplugin.NetworkApi.IpamData;
import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.kernel.Underlay;
import io.flannelvlan.flannel.Leases;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.Vlans;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.ipam.Pool;
import io.flannelvlan.ipam.Pools;
import io.flannelvlan.net.Cidr;
import java.time.Clock;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Reads what a CreateNetwork asks for; changes nothing. */
record NetworkWishes(
    VlanStore store, HostVlans vlans, Pools pools, HostUnderlay host, Clock clock) {

  /**
   * The wish.
   *
   * @param standing the networks of this host
   * @param links those of its VLANs
   * @throws Refused if it contradicts itself, what stands here or what stands in etcd
   */
  NetworkWish of(
      CreateNetworkRequest request, Collection<Network> standing, Collection<VlanLinks> links) {
    NetworkOptions options = NetworkOptions.parse(request.options().generic());
    IpamData data = onlyPool(request);
    VlanChoice choice = choose(data, options, standing);
    String vlan = choice.vlan().name();
    Optional<VlanLinks> present =
        links.stream().filter(each -> each.vlan().equals(vlan)).findFirst();
    Underlay underlay = underlay(present, options.iface());
    BridgeChoice bridge = BridgeChoice.of(choice.vlan().vni(), options, links, host.kernel().get());
    boolean internal = request.options().internal();
    VlanLinks wished =
        present
            .map(here -> here.forAnother(options, underlay, bridge, internal))
            .orElseGet(() -> VlanLinks.of(choice.vlan(), options, underlay, bridge, internal));
    return new NetworkWish(
        network(request, vlan, data),
        choice,
        wished,
        host.publicAddress(underlay, options.iface()));
  }

  /** A VLAN that is here stays on its underlay, also when a new one would get another. */
  private Underlay underlay(Optional<VlanLinks> present, Optional<String> wish) {
    return present
        .flatMap(links -> host.follow(wish, links, host.kernel().get()))
        .orElseGet(() -> host.underlay(wish));
  }

  private static boolean isDockers(IpamData data) {
    return !data.addressSpace().equals(Pools.ADDRESS_SPACE);
  }

  private static IpamData onlyPool(CreateNetworkRequest request) {
    if (request.options().enableIpv6() || !request.ipv6Data().isEmpty()) {
      throw new Refused("flannelvlan networks are IPv4 only: leave out --ipv6");
    }
    if (request.ipv4Data().size() != 1) {
      throw new Refused(
          "a flannelvlan network has exactly one --subnet, the VLAN's range; "
              + request.ipv4Data().size()
              + " were given");
    }
    IpamData data = request.ipv4Data().getFirst();
    if (data.addressSpace().equals("null")) {
      throw new Refused(
          "flannelvlan can't work with --ipam-driver null: give --ipam-driver flannelvlan");
    }
    return data;
  }

  private Network network(CreateNetworkRequest request, String vlan, IpamData data) {
    return new Network(
        request.networkId().text(),
        vlan,
        request.options().generic(),
        data.pool(),
        isDockers(data),
        request.options().internal(),
        clock.instant());
  }

  /**
   * Refuses a repeated call that asks for another network than the one that is known.
   *
   * @throws Refused naming its VLAN
   */
  void requireTheSame(Network known, CreateNetworkRequest request) {
    Network again = network(request, known.vlan(), onlyPool(request));
    if (!known.asksTheSame(again)) {
      throw new Refused(
          "network "
              + known.id()
              + " exists with other options or another subnet, on VLAN "
              + known.vlan());
    }
  }

  private VlanChoice choose(IpamData data, NetworkOptions options, Collection<Network> standing) {
    boolean dockersIpam = isDockers(data);
    Optional<HostVlan> joined =
        dockersIpam ? vlans.around(data.pool()) : vlans.byRange(data.pool());
    // A VLAN that this host is in is known without etcd.
    Vlans all = joined.map(HostVlan::vlan).map(NetworkWishes::only).orElseGet(store::list);
    VlanChoice choice =
        dockersIpam
            ? VlanChoice.bySubnet(data, options, all)
            : VlanChoice.byRange(data, options, pools.get(data.pool()).flatMap(Pool::network), all);
    DockersIpam dockers = new DockersIpam(standing, store, host::publicAddress);
    if (dockersIpam) {
      dockers.requireSafe(data, choice.vlan(), joined);
    } else {
      dockers.requireNone(choice.vlan());
      requireNotAnothers(choice, joined);
    }
    return choice;
  }

  /** A range that was left to us on two hosts at once, and is the other one's VLAN by now. */
  private void requireNotAnothers(VlanChoice choice, Optional<HostVlan> joined) {
    Cidr range = choice.vlan().range();
    if (choice.exists() && joined.isEmpty() && pools.get(range).filter(Pool::chosen).isPresent()) {
      Leases leases = store.leases(choice.vlan());
      if (!leases.bySubnet().isEmpty() && leases.of(host.publicAddress()).isEmpty()) {
        throw new Refused(
            range
                + ", which was free a moment ago, is VLAN "
                + choice.vlan().name()
                + " of another host now: create the network again for another range, or with"
                + " --subnet "
                + range
                + " to join that VLAN");
      }
    }
  }

  private static Vlans only(Vlan vlan) {
    return new Vlans(0, new TreeMap<>(Map.of(vlan.name(), vlan)), List.of());
  }
}
