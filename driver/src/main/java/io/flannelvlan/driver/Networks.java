package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.NetworkApi.CreateNetworkRequest;
import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.Reservations;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.ipam.Addresses;
import io.flannelvlan.ipam.Pools;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.journal.Table;
import io.flannelvlan.net.Cidr;
import java.time.Clock;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
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
  private final NetworkWishes wishes;
  private final VlansToBe making;
  private final ReentrantLock changing = new ReentrantLock();
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

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
    this.wishes = new NetworkWishes(store, vlans, pools, host, clock);
    this.making = new VlansToBe(store, vlans, journal);
  }

  /** Called, from any thread, when a network came or went; must not block. */
  void whenChanged(Runnable listener) {
    listeners.add(listener);
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
                    + " is unknown to flannelvlan on this host: try again in a moment, since Docker is"
                    + " asked for what this host's records lost; if that does not help, remove it"
                    + " and create it again (docker network rm, docker network create)"));
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

  /** Whether the network and all that it stands on is known: a part of the journal may be lost. */
  boolean isWhole(String id) {
    return find(id).filter(this::isWhole).isPresent();
  }

  private boolean isWhole(Network network) {
    return links(network.vlan()).isPresent() && vlans.byName(network.vlan()).isPresent();
  }

  void create(CreateNetworkRequest request) {
    changing.lock();
    try {
      Optional<Network> known = networks.get(request.networkId().text());
      if (known.isPresent() && isWhole(known.get())) {
        wishes.requireTheSame(known.get(), request);
      } else {
        NetworkWish wanted = wishes.of(request, networks.values(), links.values());
        requireRoom(wanted);
        boolean tookLease = enter(wanted);
        settle(wanted, tookLease);
      }
    } finally {
      changing.unlock();
    }
    listeners.forEach(Runnable::run);
  }

  /**
   * Takes over a network that Docker has, perhaps with containers that run: a kernel that does not
   * take it at once is no reason to let it go.
   *
   * @param over whether dockerd spoke of it since it was seen
   * @return false if it is over
   */
  boolean takeOver(CreateNetworkRequest request, BooleanSupplier over) {
    changing.lock();
    try {
      // dockerd's deletion is noted first and waits for this lock then, so that one sees the other.
      if (over.getAsBoolean()) {
        return false;
      }
      if (!isWhole(request.networkId().text())) {
        NetworkWish wanted = wishes.of(request, networks.values(), links.values());
        enter(wanted);
        addresses.publishAll(wanted.choice().vlan().range());
        kernel.wake();
      }
    } finally {
      changing.unlock();
    }
    listeners.forEach(Runnable::run);
    return true;
  }

  private void requireRoom(NetworkWish wanted) {
    VlanChoice choice = wanted.choice();
    if (links(choice.vlan().name()).isEmpty()) {
      requireFreeRange(choice);
      kernel.requireRoom(choice.vlan(), wanted.links());
    }
  }

  /** RequestPool has looked already, but with Docker's own IPAM there was none. */
  private void requireFreeRange(VlanChoice choice) {
    Cidr range = choice.vlan().range();
    Optional<String> inTheWay =
        host.inTheWayOf(range, List.of()).flatMap(_ -> host.inTheWayOf(range, own(choice)));
    if (inTheWay.isPresent()) {
      throw new Refused(range + " overlaps " + inTheWay.get() + " of this host");
    }
  }

  /** What a plain dockerd of this host may have of the VLAN. */
  private List<Cidr> own(VlanChoice choice) {
    return Stream.concat(
            store.leases(choice.vlan()).of(host.publicAddress()).stream().map(Lease::subnet),
            vlans.rememberedPlain(choice.vlan().name()).stream())
        .toList();
  }

  /**
   * Records the network, in one commit with the VLAN if this host was not in it, and with the
   * addresses that etcd has for this host there.
   *
   * @return whether a lease was taken for it; nothing is kept if this throws
   */
  private boolean enter(NetworkWish wanted) {
    VlanChoice choice = wanted.choice();
    if (!choice.exists()) {
      making.make(choice.vlan());
    }
    try {
      if (vlans.byName(choice.vlan().name()).isPresent()) {
        journal.commit(withRecords(new Batch(), wanted));
        return false;
      }
      if (!wanted.network().dockersIpam()) {
        // The subnet was promised before the user's choice of the underlay was known.
        reservations.handOver(
            choice.vlan().range(), choice.subnet(), host.publicAddress(), wanted.address());
      }
      return vlans
          .join(
              choice.vlan(),
              choice.subnet(),
              wanted.address(),
              (batch, joined) -> {
                addresses.adopt(batch, joined);
                withRecords(batch, wanted);
              })
          .tookLease();
    } catch (RuntimeException e) {
      discard(choice);
      throw e;
    }
  }

  private Batch withRecords(Batch batch, NetworkWish wanted) {
    making.joined(batch, wanted.choice().vlan().name());
    return batch
        .put(networks, wanted.network().id(), wanted.network())
        .put(links, wanted.links().vlan(), wanted.links());
  }

  private void settle(NetworkWish wanted, boolean tookLease) {
    Vlan vlan = wanted.choice().vlan();
    try {
      kernel.settleVlan(vlan.name());
    } catch (RuntimeException e) {
      boolean last = forget(wanted.network(), new Batch());
      // A lease that stood before may be that of containers whose records were lost.
      if (last && tookLease) {
        vlans.byName(vlan.name()).ifPresent(this::leave);
      }
      discard(wanted.choice());
      throw e;
    }
    addresses.publishAll(vlan.range());
    LOG.info("network {} is on VLAN {}", wanted.network().id(), vlan);
  }

  private void discard(VlanChoice choice) {
    if (!choice.exists()) {
      making.takeBack(choice.vlan());
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
      if (forget(network.get(), batch)) {
        vlans.byName(network.get().vlan()).ifPresent(this::leave);
      }
      // Again, for an endpoint that was made between the first look and the commit.
      Batch late = new Batch();
      endpoints.accept(late, id);
      journal.commit(late);
      LOG.info("network {} left VLAN {}", id, network.get().vlan());
    } finally {
      changing.unlock();
    }
    listeners.forEach(Runnable::run);
  }

  /**
   * Removes the records.
   *
   * @param batch what goes in the same commit
   * @return whether this was the VLAN's last network
   */
  private boolean forget(Network network, Batch batch) {
    boolean last =
        networks.values().stream()
            .noneMatch(n -> n.vlan().equals(network.vlan()) && !n.id().equals(network.id()));
    batch.remove(networks, network.id());
    if (last) {
      batch.remove(links, network.vlan());
    }
    journal.commit(batch.givingBack());
    kernel.wake();
    return last;
  }

  private void leave(HostVlan vlan) {
    addresses.releaseAll(vlan.range());
    vlans.leave(vlan.name());
    pools.remove(vlan.range());
  }

  /**
   * Goes through the VLANs that are whole while none comes or goes.
   *
   * @param what gets the VLAN's links and the options of one of its networks
   */
  void forEachVlan(BiConsumer<VlanLinks, NetworkOptions> what) {
    changing.lock();
    try {
      for (VlanLinks each : links.values()) {
        networks.values().stream()
            .filter(network -> network.vlan().equals(each.vlan()))
            .findFirst()
            .ifPresent(network -> what.accept(each, NetworkOptions.parse(network.options())));
      }
    } finally {
      changing.unlock();
    }
  }

  /** Adds to the batch that the VLAN has these links from now on. */
  Batch put(Batch batch, VlanLinks changed) {
    return batch.put(links, changed.vlan(), changed);
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

  /** Takes out of etcd the VLANs that this host was about to make and did not. */
  void takeBackUnmade() {
    changing.lock();
    try {
      making.takeBackAll();
    } finally {
      changing.unlock();
    }
  }
}
