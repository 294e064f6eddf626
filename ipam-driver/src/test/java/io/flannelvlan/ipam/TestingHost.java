package io.flannelvlan.ipam;

import io.flannelvlan.dockerplugin.IpamApi.ReleaseAddressRequest;
import io.flannelvlan.dockerplugin.IpamApi.ReleasePoolRequest;
import io.flannelvlan.dockerplugin.IpamApi.RequestAddressRequest;
import io.flannelvlan.dockerplugin.IpamApi.RequestPoolRequest;
import io.flannelvlan.dockerplugin.IpamApi.RequestPoolResponse;
import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.flannel.FlannelKeys;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.Reservations;
import io.flannelvlan.flannel.SubnetLayout;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.Vxlan;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/** A host without Docker and kernel: dockerd's IPAM calls, and what CreateNetwork does for them. */
final class TestingHost implements AutoCloseable {

  final IpAddress address;
  final VlanStore store;
  final HostVlans vlans;
  final Pools pools;
  final Addresses addresses;
  final IpamDriver ipam;
  private final Journal journal;

  /** The host 198.51.100.{@code number}, on what {@code state} remembers. */
  TestingHost(Etcd etcd, Path state, int number) {
    this(etcd, state, number, (_, _) -> Optional.empty(), InstantSource.system());
  }

  /** The same, which compares etcd's keys with its journal this often. */
  TestingHost(Etcd etcd, Path state, int number, Duration compareEvery) {
    this(etcd, state, number, (_, _) -> Optional.empty(), InstantSource.system(), compareEvery);
  }

  TestingHost(Etcd etcd, Path state, int number, HostRoutes routes, InstantSource clock) {
    this(etcd, state, number, routes, clock, Duration.ofMinutes(10));
  }

  private TestingHost(
      Etcd etcd,
      Path state,
      int number,
      HostRoutes routes,
      InstantSource clock,
      Duration compareEvery) {
    address = IpAddress.parse("198.51.100." + number);
    Random random = new Random(number);
    store = new VlanStore(etcd, new FlannelKeys(FlannelKeys.DEFAULT_PREFIX), random, clock);
    journal = Journal.open(state);
    vlans = new HostVlans(store, journal, random, clock, () -> {});
    pools = new Pools(journal, clock);
    addresses = new Addresses(vlans, etcd, journal, clock);
    ipam =
        new IpamDriver(
            store, new Reservations(etcd, random), vlans, pools, addresses, routes, () -> address);
    addresses.compareEvery(compareEvery);
    addresses.start();
    vlans.start();
  }

  /** Makes or joins the VLAN of that VNI, from RequestPool to CreateNetwork. */
  HostVlan createNetwork(String range, int vni, int subnetLen) {
    RequestPoolResponse pool = pool(range, "");
    Vlan vlan =
        store.create(
            Vlan.nameOf(new Vni(vni)),
            new NetworkConfig(
                SubnetLayout.of(Cidr.parse(range), subnetLen), Vxlan.of(new Vni(vni))));
    HostVlan joined =
        vlans.join(vlan, pool.gateway().orElseThrow().subnet(), address, addresses::adopt).vlan();
    addresses.publishAll(vlan.range());
    return joined;
  }

  /** Makes the VLAN's config first, as etcdctl would, so that its subnet length holds. */
  HostVlan createSmallNetwork(String range, int vni, int subnetLen) {
    store.create(
        Vlan.nameOf(new Vni(vni)),
        new NetworkConfig(SubnetLayout.of(Cidr.parse(range), subnetLen), Vxlan.of(new Vni(vni))));
    return createNetwork(range, vni, subnetLen);
  }

  /** {@code --subnet range --ip-range part}; each may be empty. */
  RequestPoolResponse pool(String range, String part) {
    return pool(range, part, Map.of());
  }

  RequestPoolResponse pool(String range, String part, Map<String, String> options) {
    return ipam.requestPool(
        new RequestPoolRequest("flannelvlan", cidr(range), cidr(part), options, false));
  }

  void releasePool(String id) {
    ipam.releasePool(new ReleasePoolRequest(id));
  }

  InterfaceAddress request(String range) {
    return request(range, Optional.empty(), false);
  }

  InterfaceAddress request(String range, String fixed) {
    return request(range, Optional.of(IpAddress.parse(fixed)), false);
  }

  InterfaceAddress gateway(String range, String asked) {
    return request(range, Optional.of(IpAddress.parse(asked)), true);
  }

  private InterfaceAddress request(String range, Optional<IpAddress> asked, boolean gateway) {
    return ipam.requestAddress(
            new RequestAddressRequest(
                "flannelvlan/" + range, asked, gateway, Optional.empty(), Optional.empty()))
        .address();
  }

  void release(String range, IpAddress released) {
    ipam.releaseAddress(new ReleaseAddressRequest("flannelvlan/" + range, released));
  }

  /** The addresses of a VLAN that etcd has, whichever host's they are. */
  static Set<String> inEtcd(Etcd etcd, String vlan) {
    String keys = "/flannelvlan/addresses/" + vlan + "/";
    return etcd.range(keys).entries().keySet().stream()
        .map(key -> key.substring(keys.length()))
        .collect(Collectors.toSet());
  }

  /** What CreateEndpoint does about its address. */
  void confirmed(IpAddress confirmed, String endpoint, MacAddress mac) {
    Batch batch = new Batch();
    addresses.confirm(batch, confirmed, endpoint, mac);
    journal.commit(batch);
    addresses.published(confirmed);
  }

  private static Optional<Cidr> cidr(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(Cidr.parse(text));
  }

  /** As the daemon ends: etcd and the journal keep what they have. */
  @Override
  public void close() {
    addresses.close();
    vlans.close();
    journal.close();
  }
}
