package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.NetworkApi.CreateNetworkRequest;
import io.flannelvlan.dockerplugin.NetworkApi.IpamData;
import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.kernel.Underlay;
import io.flannelvlan.flannel.Reservations;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanException;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.Vlans;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.ipam.Addresses;
import io.flannelvlan.ipam.Pool;
import io.flannelvlan.ipam.Pools;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.journal.Table;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.time.Clock;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Docker networks of this host and the VLANs that they are on.
 *
 * <p>Creating and deleting are rare and go one at a time through {@link #changing}, which is held
 * over calls to etcd and over the kernel's answer; both are bounded. Reading takes no lock.
 */
final class Networks {

  private static final Logger LOG = LoggerFactory.getLogger(Networks.class);

  private final Journal journal;
  private final Table<Network> networks;
  private final Table<VlanLinks> links;
  private final VlanStore store;
  private final Reservations reservations;
  private final HostVlans vlans;
  private final Pools pools;
  private final Addresses addresses;
  private final HostUnderlay host;
  private final KernelSide kernel;
  private final Clock clock;
  private final ReentrantLock changing = new ReentrantLock();

  Networks(
      Journal journal,
      VlanStore store,
      Reservations reservations,
      HostVlans vlans,
      Pools pools,
      Addresses addresses,
      HostUnderlay host,
      KernelSide kernel,
      Clock clock) {
    this.journal = journal;
    this.networks = journal.table("network", Network.class);
    this.links = journal.table("links", VlanLinks.class);
    this.store = store;
    this.reservations = reservations;
    this.vlans = vlans;
    this.pools = pools;
    this.addresses = addresses;
    this.host = host;
    this.kernel = kernel;
    this.clock = clock;
  }

  Optional<Network> find(String id) {
    return networks.get(id);
  }

  /**
   * The network that a call is about.
   *
   * @throws Refused if this host does not know it
   */
  Network require(String id) {
    return find(id)
        .orElseThrow(() ->
            new Refused(
                "network "
                    + id
                    + " is unknown to flannelvlan on this host: remove it and create"
                    + " it again (docker network rm, docker network create)"));
  }

  Collection<Network> all() {
    return networks.values();
  }

  /** The VLANs to have in the kernel. */
  Collection<VlanLinks> links() {
    return links.values();
  }

  Optional<VlanLinks> links(String vlan) {
    return links.get(vlan);
  }

  /** Whether a network of the VLAN is on this host. */
  private boolean isUsed(String vlan) {
    return networks.values().stream().anyMatch(network -> network.vlan().equals(vlan));
  }

  void create(CreateNetworkRequest request) {
    NetworkOptions options = NetworkOptions.parse(request.options().generic());
    IpamData data = onlyPool(request);
    boolean dockersIpam = !data.addressSpace().equals(Pools.ADDRESS_SPACE);
    changing.lock();
    try {
      Optional<Network> known = networks.get(request.networkId().text());
      if (known.isPresent()) {
        requireTheSame(known.get(), request, data, dockersIpam);
        return;
      }
      VlanChoice choice = choose(data, options, dockersIpam);
      Underlay underlay = host.underlay(options.iface());
      VlanLinks wished =
          VlanLinks.of(choice.vlan(), options, underlay, request.options().internal());
      links.values().forEach(wished::requireOwnBridge);
      Network network = network(request, choice.vlan().name(), data, dockersIpam);
      create(network, choice, wished, host.publicAddress(underlay, options.iface()));
    } finally {
      changing.unlock();
    }
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

  private Network network(
      CreateNetworkRequest request, String vlan, IpamData data, boolean dockersIpam) {
    return new Network(
        request.networkId().text(),
        vlan,
        request.options().generic(),
        data.pool(),
        dockersIpam,
        request.options().internal(),
        clock.instant());
  }

  private void requireTheSame(
      Network known, CreateNetworkRequest request, IpamData data, boolean dockersIpam) {
    Network again = network(request, known.vlan(), data, dockersIpam);
    if (!known.asksTheSame(again)) {
      throw new Refused(
          "network "
              + known.id()
              + " exists with other options or another subnet, on VLAN "
              + known.vlan());
    }
  }

  private VlanChoice choose(IpamData data, NetworkOptions options, boolean dockersIpam) {
    Optional<HostVlan> joined =
        dockersIpam ? vlans.around(data.pool()) : vlans.byRange(data.pool());
    // A VLAN that this host is in is known without etcd.
    Vlans all = joined.map(HostVlan::vlan).map(Networks::only).orElseGet(store::list);
    VlanChoice choice =
        dockersIpam
            ? VlanChoice.bySubnet(data, options, all)
            : VlanChoice.byRange(data, options, pools.get(data.pool()).flatMap(Pool::network), all);
    DockersIpam dockers = new DockersIpam(networks.values(), store, host::publicAddress);
    if (dockersIpam) {
      dockers.requireSafe(data, choice.vlan(), joined);
    } else {
      dockers.requireNone(choice.vlan());
    }
    return choice;
  }

  private static Vlans only(Vlan vlan) {
    return new Vlans(0, new TreeMap<>(Map.of(vlan.name(), vlan)), List.of());
  }

  private void create(Network network, VlanChoice choice, VlanLinks wished, IpAddress address) {
    Optional<VlanLinks> present = links.get(network.vlan());
    if (present.isPresent()) {
      present.get().requireAgreement(wished);
    } else {
      requireFreeRange(choice.vlan().range());
      kernel.requireRoom(choice.vlan(), wished, address);
    }
    if (!choice.exists()) {
      store.create(choice.vlan().name(), choice.vlan().config());
    }
    try {
      if (!network.dockersIpam() && vlans.byName(network.vlan()).isEmpty()) {
        // The subnet was promised before the user's choice of the underlay was known.
        reservations.handOver(
            choice.vlan().range(), choice.subnet(), host.publicAddress(), address);
      }
      boolean member = vlans.byName(network.vlan()).isPresent();
      HostVlan vlan = vlans.join(choice.vlan(), choice.subnet(), address);
      if (!member) {
        // The same subnet again, perhaps after the state was lost under running containers.
        addresses.adopt(vlan);
      }
      journal.commit(
          new Batch().put(networks, network.id(), network).put(links, wished.vlan(), wished));
      kernel.settleVlan(network.vlan());
    } catch (RuntimeException e) {
      undo(network, choice);
      throw e;
    }
    addresses.publishAll(choice.vlan().range());
    LOG.info("network {} is on VLAN {}", network.id(), choice.vlan());
  }

  /** RequestPool has looked already, but with Docker's own IPAM there was none. */
  private void requireFreeRange(Cidr range) {
    Optional<String> inTheWay = host.inTheWayOf(range);
    if (inTheWay.isPresent()) {
      throw new Refused(range + " overlaps " + inTheWay.get() + " of this host");
    }
  }

  private void undo(Network network, VlanChoice choice) {
    forget(network, new Batch());
    if (!choice.exists()) {
      try {
        store.discard(choice.vlan());
      } catch (VlanException | io.flannelvlan.etcd.EtcdException e) {
        LOG.warn("VLAN {} stays in etcd without hosts: {}", choice.vlan().name(), e.getMessage());
      }
    }
  }

  /** Takes the network away; an unknown one is not an error. */
  void delete(String id, BiConsumer<Batch, String> endpoints) {
    changing.lock();
    try {
      Optional<Network> network = networks.get(id);
      if (network.isEmpty()) {
        return;
      }
      Batch batch = new Batch();
      endpoints.accept(batch, id);
      forget(network.get(), batch);
      // Again, for an endpoint that was made between the first look and the commit.
      Batch late = new Batch();
      endpoints.accept(late, id);
      journal.commit(late);
      LOG.info("network {} left VLAN {}", id, network.get().vlan());
    } finally {
      changing.unlock();
    }
  }

  /**
   * Removes the records, and the VLAN from this host if this was its last network.
   *
   * @param batch what goes in the same commit
   */
  private void forget(Network network, Batch batch) {
    boolean last =
        networks.values().stream()
            .noneMatch(n -> n.vlan().equals(network.vlan()) && !n.id().equals(network.id()));
    batch.remove(networks, network.id());
    if (last) {
      batch.remove(links, network.vlan());
    }
    journal.commit(batch);
    if (last) {
      vlans.byName(network.vlan()).ifPresent(this::leave);
    }
    kernel.wake();
  }

  private void leave(HostVlan vlan) {
    addresses.releaseAll(vlan.range());
    vlans.leave(vlan.name());
    pools.remove(vlan.range());
  }

  /** Leaves the VLANs without a network: a crash cut its creation or its deletion short. */
  void leaveUnused() {
    changing.lock();
    try {
      vlans.all().stream().filter(vlan -> !isUsed(vlan.name())).forEach(this::leave);
    } finally {
      changing.unlock();
    }
  }
}
