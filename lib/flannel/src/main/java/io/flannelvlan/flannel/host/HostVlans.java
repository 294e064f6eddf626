package io.flannelvlan.flannel.host;

import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.Lease;
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
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
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
  private final PlainSubnets plain;
  private final Table<KnownPeers> known;
  private final Rejoining rejoining;
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
    this.known = journal.table("peers", KnownPeers.class);
    this.clock = clock;
    this.listeners.add(changed);
    this.changed = () -> listeners.forEach(Runnable::run);
    this.plain =
        new PlainSubnets(store, journal, vlans, joining, this::leases, () -> changed.run());
    this.rejoining = new Rejoining(remembered, departures, plain, random);
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

  /**
   * Before the start: what is done about a subnet that this host has left, before its lease goes;
   * it may throw an {@link EtcdException}, and is done again then, after a restart too.
   */
  public void clearFirst(BiConsumer<HostVlan, Cidr> clear) {
    departures.clearFirst(clear);
  }

  /** What of the VLANs others than us use here. */
  public PlainSubnets plain() {
    return plain;
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
  Collection<HostVlan> leaving() {
    return departures.all();
  }

  /**
   * Gives back the leases of a VLAN that was left, or was to be joined, if any are left to be given
   * back; without this call it happens some seconds later.
   *
   * @return whether none is left
   */
  public boolean giveBack(String name) {
    joining.lock();
    try {
      return departures.isGivenBack(name);
    } finally {
      joining.unlock();
    }
  }

  /** All hosts' leases as etcd last showed them; empty as long as it has not. */
  public Optional<Leases> leases(String name) {
    return Optional.ofNullable(keepers.get(name)).flatMap(LeaseKeeper::shown);
  }

  /** Whether that is etcd's state of now, give or take the delay of the network. */
  public boolean isCurrent(String name) {
    return Optional.ofNullable(keepers.get(name)).filter(LeaseKeeper::isCurrent).isPresent();
  }

  /**
   * The leases that lead to the VLAN's hosts, this one's among them: as etcd has them, and those
   * that it lost without anybody's ending them; empty as long as none is known.
   */
  public Optional<List<Lease>> peers(String name) {
    return Optional.ofNullable(keepers.get(name)).flatMap(LeaseKeeper::peers);
  }

  /**
   * Everybody's leases, by etcd's word of this moment.
   *
   * @return empty if it lacks those of this host: others' may be missing, too
   * @throws EtcdException if etcd does not answer
   */
  public Optional<StandingLeases> standing(Vlan vlan) {
    Leases shown = store.leases(vlan);
    boolean lacksOurs =
        byName(vlan.name()).stream()
            .flatMap(here -> here.subnets().stream())
            .anyMatch(subnet -> shown.at(subnet).isEmpty());
    return lacksOurs
        ? Optional.empty()
        : Optional.of(StandingLeases.of(shown, peers(vlan.name()).orElse(List.of())));
  }

  /** Who else holds this subnet of ours in etcd, if somebody does. */
  public Optional<Lease> rivalOf(HostVlan vlan, Cidr subnet) {
    return leases(vlan.name()).flatMap(leases -> vlan.rival(leases, subnet));
  }

  /** How many times the VLAN's leases were listed anew: at first, and after each loss of etcd. */
  public long listings(String name) {
    return Optional.ofNullable(keepers.get(name)).map(LeaseKeeper::listings).orElse(0L);
  }

  /** The subnets of our own that this host had in the VLAN when it left. */
  public List<Cidr> remembered(String name) {
    return remembered.get(name).map(Remembered::subnets).orElse(List.of());
  }

  /** The subnet that was set aside for others in the VLAN when this host left. */
  public Optional<Cidr> rememberedPlain(String name) {
    return remembered.get(name).flatMap(Remembered::plain);
  }

  /** As the other, with nothing to go along. */
  public HostVlan join(Vlan vlan, Cidr subnet, IpAddress publicAddress) {
    return join(vlan, subnet, publicAddress, (_, _) -> {}).vlan();
  }

  /**
   * Takes part in a VLAN that stands in etcd: takes a lease and keeps it, and with it those that
   * etcd has for this host beyond doubt. Done again, it changes nothing.
   *
   * @param subnet the lease to take
   * @param publicAddress where the peers shall send to
   * @param along adds what goes in the same commit; not called if this host is in the VLAN already
   * @throws VlanException if somebody else holds the subnet
   * @throws EtcdException if etcd does not answer
   */
  public Joined join(
      Vlan vlan, Cidr subnet, IpAddress publicAddress, BiConsumer<Batch, HostVlan> along) {
    joining.lock();
    try {
      Optional<HostVlan> present = vlans.get(vlan.name());
      if (present.isPresent()) {
        return new Joined(present.get(), false);
      }
      Leases leases = store.leases(vlan);
      List<Lease> standing = leases.of(publicAddress);
      HostVlan first = rejoining.with(vlan, subnet, publicAddress, standing);
      boolean takes = standing.stream().noneMatch(lease -> lease.subnet().equals(subnet));
      if (takes) {
        departures.expect(first);
      }
      HostVlan joined = rejoining.whole(first, leases);
      store.acquire(vlan, joined.attributes(), Wish.exactly(subnet));
      if (!store.stands(vlan.name())) {
        // The lease is given back, as of any that was expected and not joined with.
        throw new VlanException(
            VlanException.Kind.CONTENDED,
            "VLAN " + vlan.name() + " was removed in this moment: create the network again");
      }
      Batch batch = new Batch().put(vlans, joined.name(), joined).remove(remembered, joined.name());
      departures.cancel(batch, joined);
      along.accept(batch, joined);
      journal.commit(batch);
      LOG.info("joined VLAN {} (VNI {}) with {}", joined.name(), joined.vni(), joined.subnets());
      keep(joined);
      return new Joined(joined, takes);
    } finally {
      joining.unlock();
    }
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
      Lease lease = store.acquireAnother(vlan.vlan(), vlan.attributes(), plain.sparing(vlan));
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
              .remove(known, name)
              .put(remembered, name, Remembered.of(vlan.get()))
              .givingBack();
      departures.add(batch, vlan.get());
      journal.commit(batch);
      Optional.ofNullable(keepers.remove(name)).ifPresent(LeaseKeeper::close);
      departures.settle();
      LOG.info("left VLAN {}", name);
    } finally {
      joining.unlock();
    }
  }

  /**
   * This host is found at another address from now on; its leases follow in place.
   *
   * @param batch what goes in the same commit
   */
  public void move(String name, IpAddress publicAddress, Batch batch) {
    joining.lock();
    try {
      HostVlan vlan =
          vlans.get(name).orElseThrow(() -> new IllegalStateException("not in VLAN " + name));
      HostVlan moved = vlan.publicAddress().equals(publicAddress) ? vlan : vlan.at(publicAddress);
      journal.commit(batch.put(vlans, name, moved));
      Optional.ofNullable(keepers.get(name)).ifPresent(LeaseKeeper::wake);
    } finally {
      joining.unlock();
    }
    changed.run();
  }

  private void keep(HostVlan vlan) {
    keepers.computeIfAbsent(
        vlan.name(),
        name ->
            new LeaseKeeper(
                store,
                vlan,
                known.get(name).map(KnownPeers::peers).orElse(Peers.NONE),
                new Owner(name),
                clock));
    // What etcd showed before the keeper stood in the table, whoever was told of it did not see.
    changed.run();
  }

  private final class Owner implements LeaseKeeper.Owner {

    private final String name;

    Owner(String name) {
      this.name = name;
    }

    @Override
    public Optional<HostVlan> vlan() {
      return byName(name);
    }

    @Override
    public void changed() {
      changed.run();
    }

    @Override
    public boolean takeOver(Lease lease) {
      // Who leaves holds the lock and waits for this very thread.
      if (!joining.tryLock()) {
        return false;
      }
      try {
        Optional<HostVlan> here = byName(name).filter(v -> !v.leased().contains(lease.subnet()));
        if (here.isPresent() && !departures.concerns(name, lease.subnet())) {
          journal.commit(new Batch().put(vlans, name, plain.with(here.get(), lease.subnet())));
          LOG.warn("VLAN {}: {} is this host's in etcd, and was forgotten", name, lease.subnet());
        }
      } finally {
        joining.unlock();
      }
      changed.run();
      return true;
    }

    @Override
    public void remember(Peers peers) {
      // Without the lock: one that leaves waits for this very thread.
      if (byName(name).isPresent()) {
        journal.commit(new Batch().put(known, name, KnownPeers.of(peers)));
      }
    }
  }

  /** Ends the watches; the leases stay in etcd, since the containers run on. */
  @Override
  public void close() {
    departures.close();
    keepers.values().forEach(LeaseKeeper::end);
    keepers.values().forEach(LeaseKeeper::close);
  }
}
