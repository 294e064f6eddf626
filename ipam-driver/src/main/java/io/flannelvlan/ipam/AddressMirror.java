package io.flannelvlan.ipam;

import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.Leases;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.ipam.AddressKeys.Holder;
import io.flannelvlan.journal.Table;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings etcd up to what the journal says, in the background: what was given out or taken back
 * while etcd was away, who an address went to, and what a crashed host left in a subnet that is
 * this host's now.
 *
 * <p>Works by state, so that a lost step is simply done again. {@link #lock} guards {@link #due}
 * and {@link #standing} and is never held over a call.
 */
final class AddressMirror implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(AddressMirror.class);
  private static final Duration PAUSE_WHILE_AWAY = Duration.ofSeconds(1);

  /**
   * Others wait for etcd when an address changes, and the next change of it often follows at once.
   */
  private static final Duration CALM = Duration.ofMillis(50);

  private final HostVlans vlans;
  private final AddressKeys keys;
  private final AbandonedAddresses abandoned;
  private final Table<AllocatedAddress> table;
  private final Owner owner;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Who gives out addresses, beside the journal's table. */
  interface Owner {
    /** Whether the address is given out, or about to be. */
    boolean isTaken(IpAddress address);

    /** Of all addresses of the range, other hosts hold these alone. */
    void others(Cidr range, Set<IpAddress> held);
  }

  /** Where a VLAN's keys are, resolved at once: the VLAN may be left before they are written. */
  private record Place(String vlan, IpAddress host) {
    static Place of(HostVlan vlan) {
      return new Place(vlan.name(), vlan.publicAddress());
    }
  }

  /** What may have to be done; several of the same are one. */
  private sealed interface Step {
    default boolean isAbout(IpAddress one) {
      return this instanceof Settle settle && settle.address().equals(one);
    }

    /** The key of one address may differ from the journal. */
    record Settle(IpAddress address, Place place) implements Step {}

    /** All keys of a VLAN may. */
    record Sweep(Place place) implements Step {}
  }

  private final SequencedSet<Step> due = new LinkedHashSet<>();

  /** This host's leases as etcd last showed them, and how many times it was listed by then. */
  private record Standing(Set<Cidr> subnets, long listings) {
    static final Standing UNKNOWN = new Standing(Set.of(), 0);

    /** Where a lease came back, and in an etcd that was away, addresses may be missing too. */
    boolean mayHaveLostKeys(Standing now) {
      return now.listings != listings || !subnets.containsAll(now.subnets);
    }
  }

  /** By VLAN; those that are not followed have none. */
  private final Map<String, Standing> standing = new HashMap<>();

  private final Thread thread = Thread.ofVirtual().name("address-mirror").unstarted(this::run);

  /** How often all is compared whatever happens, for what nobody told us of. */
  private Duration tick = Duration.ofMinutes(10);

  /** When that is next, of the mirror's thread alone once it runs. */
  private long nextComparison;

  /** A mirror, not yet started. */
  AddressMirror(
      HostVlans vlans,
      AddressKeys keys,
      AbandonedAddresses abandoned,
      Table<AllocatedAddress> table,
      Owner owner) {
    this.vlans = vlans;
    this.keys = keys;
    this.abandoned = abandoned;
    this.table = table;
    this.owner = owner;
  }

  /** Compares everything this often, with one range read per VLAN; before it starts. */
  void compareEvery(Duration time) {
    tick = time;
  }

  /** Compares everything once, then follows. */
  void start() {
    vlans.all().forEach(vlan -> follow(vlan.range()));
    vlans.whenChanged(this::look);
    look();
    nextComparison = System.nanoTime() + tick.toNanos();
    thread.start();
  }

  /** An address of a VLAN that is not joined yet has no key; joining touches it again. */
  void touch(IpAddress address, Cidr range) {
    vlans.byRange(range).ifPresent(vlan -> add(new Step.Settle(address, Place.of(vlan))));
  }

  /**
   * From now on compares all keys of the VLAN. Not before the addresses are taken over that etcd
   * shows as this host's, since the mirror removes those that the journal does not know.
   */
  void follow(Cidr range) {
    vlans
        .byRange(range)
        .ifPresent(vlan -> {
          lock.lock();
          try {
            standing.putIfAbsent(vlan.name(), Standing.UNKNOWN);
            add(new Step.Sweep(Place.of(vlan)));
          } finally {
            lock.unlock();
          }
        });
  }

  /** The VLAN is about to be left. */
  void unfollow(Cidr range) {
    vlans
        .byRange(range)
        .ifPresent(vlan -> {
          lock.lock();
          try {
            standing.remove(vlan.name());
          } finally {
            lock.unlock();
          }
        });
  }

  /** Compares all keys of the VLAN, if it is followed. */
  void sweep(Cidr range) {
    vlans.byRange(range).ifPresent(this::sweep);
  }

  private void sweep(HostVlan vlan) {
    lock.lock();
    try {
      if (standing.containsKey(vlan.name())) {
        add(new Step.Sweep(Place.of(vlan)));
      }
    } finally {
      lock.unlock();
    }
  }

  /** Whether etcd has yet to be told about the address. */
  boolean isBehindWith(IpAddress address) {
    lock.lock();
    try {
      return due.stream().anyMatch(step -> step.isAbout(address));
    } finally {
      lock.unlock();
    }
  }

  /** Etcd showed its leases anew. */
  private void look() {
    for (HostVlan vlan : vlans.all()) {
      vlans.leases(vlan.name()).ifPresent(leases -> look(vlan, leases));
    }
  }

  private void look(HostVlan vlan, Leases leases) {
    Standing now =
        new Standing(
            leases.bySubnet().values().stream()
                .filter(vlan::owns)
                .map(Lease::subnet)
                .collect(Collectors.toSet()),
            vlans.listings(vlan.name()));
    lock.lock();
    try {
      Standing before = standing.replace(vlan.name(), now);
      if (before != null && before.mayHaveLostKeys(now)) {
        add(new Step.Sweep(Place.of(vlan)));
      }
    } finally {
      lock.unlock();
    }
  }

  private void add(Step step) {
    lock.lock();
    try {
      due.addLast(step);
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    try {
      while (true) {
        Step next = take();
        try {
          perform(next);
        } catch (EtcdException e) {
          add(next);
          LOG.debug("{} waits for etcd: {}", next, e.getMessage());
          pause();
        } catch (RuntimeException e) {
          // A bug about one address must not keep the others from etcd.
          LOG.error("{} is not in etcd as it should be", next, e);
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private Step take() throws InterruptedException {
    lock.lock();
    try {
      compareIfTime();
      if (due.isEmpty()) {
        while (due.isEmpty()) {
          boolean _ = changed.await(nextComparison - System.nanoTime(), TimeUnit.NANOSECONDS);
          compareIfTime();
        }
        calm();
      }
      return due.removeFirst();
    } finally {
      lock.unlock();
    }
  }

  /** By a fixed time, not by a pause in the work: a busy host may have none. */
  private void compareIfTime() {
    long now = System.nanoTime();
    if (now - nextComparison >= 0) {
      nextComparison = now + tick.toNanos();
      vlans.all().forEach(this::sweep);
    }
  }

  /** Others go on touching meanwhile; nothing but {@link #take} removes. */
  private void calm() throws InterruptedException {
    long left = CALM.toNanos();
    while (left > 0) {
      left = changed.awaitNanos(left);
    }
  }

  private void perform(Step step) {
    switch (step) {
      case Step.Settle settle -> settle(settle.address(), settle.place());
      case Step.Sweep sweep -> sweep(sweep.place());
    }
  }

  private void settle(IpAddress address, Place place) {
    Optional<AllocatedAddress> wanted = table.get(address.toString());
    if (wanted.isPresent()) {
      write(wanted.get(), place);
    } else if (!owner.isTaken(address)) {
      keys.remove(place.vlan(), place.host(), address);
    }
    // Taken without a record: claimed a moment ago, and the journal is about to know it.
  }

  private void write(AllocatedAddress wanted, Place place) {
    IpAddress address = wanted.address().address();
    Optional<HostVlan> vlan = vlans.byName(place.vlan());
    IpAddress host = vlan.map(HostVlan::publicAddress).orElse(place.host());
    keys.write(
            place.vlan(),
            host,
            wanted,
            holder ->
                holder.isAt(host)
                    || holder.address().isEmpty()
                    || vlan.filter(here -> holder.address().filter(here::isAt).isPresent())
                        .isPresent()
                    || vlan.filter(here -> isInOurLease(here, address)).isPresent())
        .ifPresent(other ->
            LOG.debug("{} of VLAN {} is host {}'s in etcd", address, place.vlan(), other.host()));
  }

  /**
   * Settles each address of the VLAN whose key is not as the journal has it: keys that were lost,
   * keys of ours without a record, which a crash leaves, and keys that others left in our subnets,
   * or in nobody's.
   */
  private void sweep(Place place) {
    Map<IpAddress, Holder> listed = keys.list(place.vlan());
    Optional<HostVlan> vlan = vlans.byName(place.vlan());
    for (AllocatedAddress held : table.values()) {
      IpAddress address = held.address().address();
      if (vlan.map(HostVlan::range).equals(Optional.of(held.range()))
          && !Holder.of(place.host(), held).equals(listed.get(address))) {
        add(new Step.Settle(address, place));
      }
    }
    listed.entrySet().removeIf(entry -> isSettled(place, vlan, entry.getKey(), entry.getValue()));
    vlan.ifPresent(v -> {
      abandoned.remove(v, listed);
      owner.others(v.range(), listed.keySet());
    });
  }

  /** False if another host's key stays. */
  private boolean isSettled(
      Place place, Optional<HostVlan> vlan, IpAddress address, Holder holder) {
    if (table.get(address.toString()).isPresent()) {
      return true;
    }
    if (holder.isAt(place.host())) {
      add(new Step.Settle(address, place));
      return true;
    }
    return vlan.isPresent()
        && isInOurLease(vlan.get(), address)
        && isStaleRemoved(place, address, holder);
  }

  /**
   * By etcd's own word of now, not ours alone: a host that lost its subnet, perhaps while it was
   * cut off, must not clear the winner's.
   */
  private boolean isInOurLease(HostVlan vlan, IpAddress address) {
    return vlans.isCurrent(vlan.name())
        && vlans
            .leases(vlan.name())
            .flatMap(leases -> leases.around(address))
            .filter(lease -> vlan.owns(lease) && vlan.subnets().contains(lease.subnet()))
            .isPresent();
  }

  /** Only the holder of a lease gives out its addresses, so whoever had this one is gone. */
  private boolean isStaleRemoved(Place place, IpAddress address, Holder holder) {
    Optional<IpAddress> host = holder.address();
    host.ifPresent(gone -> {
      keys.remove(place.vlan(), gone, address);
      LOG.info(
          "{} of VLAN {} was left by host {}, whose subnet this host has now: removed",
          address,
          place.vlan(),
          gone);
    });
    return host.isPresent();
  }

  private void pause() throws InterruptedException {
    TimeUnit.NANOSECONDS.sleep(PAUSE_WHILE_AWAY.toNanos());
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
