package io.flannelvlan.flannel.host;

import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.LeaseAttributes;
import io.flannelvlan.flannel.Leases;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanException;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.Wish;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.journal.Table;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The VLANs of this host: joins, leaves, and asks for more room.
 *
 * <p>Reading is from memory and never waits. Joining and leaving are rare and go one at a time,
 * through {@link #joining}, which is held over calls to etcd; those have deadlines of their own.
 */
public final class HostVlans implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(HostVlans.class);

  private final VlanStore store;
  private final Journal journal;
  private final Table<HostVlan> vlans;
  private final Table<Remembered> remembered;
  private final Departures departures;
  private final RandomGenerator random;
  private final Runnable changed;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private final InstantSource clock;
  private final Map<String, LeaseKeeper> keepers = new ConcurrentHashMap<>();
  private final ReentrantLock joining = new ReentrantLock();

  /**
   * The VLANs that the journal knows; {@link #start} begins to keep their leases.
   *
   * @param changed called, from any thread, when a peer or a lease changed; must not block
   */
  public HostVlans(
      VlanStore store,
      Journal journal,
      RandomGenerator random,
      InstantSource clock,
      Runnable changed) {
    this.store = store;
    this.journal = journal;
    this.vlans = journal.table("vlan", HostVlan.class);
    this.remembered = journal.table("remembered", Remembered.class);
    this.departures = new Departures(store, journal, joining, this::byName);
    this.random = random;
    this.clock = clock;
    this.listeners.add(changed);
    this.changed = () -> listeners.forEach(Runnable::run);
  }

  public void start() {
    joining.lock();
    try {
      vlans.values().forEach(this::keep);
    } finally {
      joining.unlock();
    }
    departures.start();
  }

  /** As the one of the constructor. */
  public void whenChanged(Runnable listener) {
    listeners.add(listener);
  }

  public Collection<HostVlan> all() {
    return vlans.values();
  }

  public Optional<HostVlan> byName(String name) {
    return vlans.get(name);
  }

  public Optional<HostVlan> byRange(Cidr range) {
    return vlans.values().stream().filter(vlan -> vlan.range().equals(range)).findFirst();
  }

  /** The VLAN whose range holds this subnet. */
  public Optional<HostVlan> around(Cidr subnet) {
    return vlans.values().stream().filter(vlan -> vlan.range().contains(subnet)).findFirst();
  }

  /** The VLANs that this host has left, and etcd does not know it yet. */
  public Collection<HostVlan> leaving() {
    return departures.all();
  }

  /** All hosts' leases as etcd last showed them; empty as long as it has not. */
  public Optional<Leases> leases(String name) {
    return Optional.ofNullable(keepers.get(name)).flatMap(LeaseKeeper::known);
  }

  /** The subnets that this host had in the VLAN when it left. */
  public List<Cidr> remembered(String name) {
    return remembered.get(name).map(Remembered::subnets).orElse(List.of());
  }

  /**
   * Takes part in a VLAN that stands in etcd: takes a lease and keeps it. Done again, it changes
   * nothing.
   *
   * @param subnet the lease to take
   * @param publicAddress where the peers shall send to
   * @throws VlanException if somebody else holds the subnet
   * @throws EtcdException if etcd does not answer
   */
  public HostVlan join(Vlan vlan, Cidr subnet, IpAddress publicAddress) {
    joining.lock();
    try {
      Optional<HostVlan> present = vlans.get(vlan.name());
      if (present.isPresent()) {
        return present.get();
      }
      MacAddress mac = vtepMac(vlan, publicAddress);
      LeaseAttributes attributes =
          LeaseAttributes.vxlan(publicAddress, vlan.config().backend().vni(), mac);
      Lease lease = store.acquire(vlan, attributes, Wish.exactly(subnet));
      HostVlan joined =
          new HostVlan(vlan.name(), vlan.config(), List.of(lease.subnet()), mac, publicAddress);
      journal.commit(
          new Batch().put(vlans, joined.name(), joined).remove(remembered, joined.name()));
      LOG.info("joined VLAN {} (VNI {}) with {}", joined.name(), joined.vni(), lease.subnet());
      keep(joined);
      return joined;
    } finally {
      joining.unlock();
    }
  }

  /** The one the peers know already, if they do; else the one from before; else a new one. */
  private MacAddress vtepMac(Vlan vlan, IpAddress publicAddress) {
    return store.leases(vlan).of(publicAddress).stream()
        .flatMap(lease -> lease.attributes().vtepMac().stream())
        .findFirst()
        .or(() -> remembered.get(vlan.name()).map(Remembered::vtepMac))
        .orElseGet(() -> MacAddress.random(random));
  }

  /**
   * Takes one more lease in a VLAN whose leases are full. Of many callers that find them full at
   * the same time one takes it, and the others get what it took.
   *
   * @param full the VLAN as the caller found it
   * @throws VlanException if the VLAN has no free subnet left
   * @throws EtcdException if etcd does not answer
   */
  public HostVlan joinFurther(HostVlan full) {
    String name = full.name();
    joining.lock();
    try {
      HostVlan vlan =
          vlans
              .get(name)
              .orElseThrow(() ->
                  new VlanException(
                      VlanException.Kind.LEFT,
                      "this host has left VLAN " + name + ": its last network was removed"));
      if (!vlan.subnets().equals(full.subnets())) {
        return vlan;
      }
      Lease lease = store.acquireAnother(vlan.vlan(), vlan.attributes(), Wish.any());
      HostVlan wider = vlan.with(lease.subnet());
      journal.commit(new Batch().put(vlans, name, wider));
      LOG.info("VLAN {} is full on this host: took {} too", name, lease.subnet());
      changed.run();
      return wider;
    } finally {
      joining.unlock();
    }
  }

  /**
   * Gives the leases back and forgets the VLAN, but for the subnets to ask for again. What etcd
   * does not hear now, it hears when it is back.
   */
  public void leave(String name) {
    joining.lock();
    try {
      Optional<HostVlan> vlan = vlans.get(name);
      if (vlan.isEmpty()) {
        return;
      }
      Batch batch =
          new Batch()
              .remove(vlans, name)
              .put(remembered, name, new Remembered(vlan.get().subnets(), vlan.get().vtepMac()));
      departures.add(batch, vlan.get());
      journal.commit(batch);
      Optional.ofNullable(keepers.remove(name)).ifPresent(LeaseKeeper::close);
      departures.settle();
      LOG.info("left VLAN {}", name);
    } finally {
      joining.unlock();
    }
  }

  private void keep(HostVlan vlan) {
    keepers.computeIfAbsent(
        vlan.name(),
        name ->
            new LeaseKeeper(
                store,
                vlan.vlan(),
                () -> byName(name).map(HostVlan::leases).orElse(List.of()),
                changed,
                clock));
  }

  /** Ends the watches; the leases stay in etcd, since the containers run on. */
  @Override
  public void close() {
    departures.close();
    keepers.values().forEach(LeaseKeeper::close);
  }
}
