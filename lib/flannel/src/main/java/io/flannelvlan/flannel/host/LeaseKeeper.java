package io.flannelvlan.flannel.host;

import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.etcd.WatchListener;
import io.flannelvlan.flannel.BrokenEntry;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.LeaseWatch;
import io.flannelvlan.flannel.Leases;
import io.flannelvlan.flannel.Renewal;
import io.flannelvlan.flannel.VlanEntries;
import io.flannelvlan.flannel.VlanException;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps this host's leases in one VLAN, and the VLAN's config, and knows everybody's leases.
 *
 * <p>Level, not edge: whenever etcd shows its state, what is missing of ours is put back and what
 * is about to end is renewed. The subnet never changes under running containers: if another host
 * holds it, that is said loudly and nothing is overwritten. {@link #lock} guards what the fields
 * below it become, and is never held over a call to etcd.
 */
final class LeaseKeeper implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LeaseKeeper.class);
  private static final Duration RETRY = Duration.ofSeconds(5);
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(10);

  /** Hosts come and go in swarms; one record serves them all. */
  private static final Duration BEFORE_WRITING_PEERS = Duration.ofSeconds(2);

  /** A clock that is merely kept in step goes back by less. */
  private static final Duration CLOCK_LEEWAY = Duration.ofMinutes(1);

  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(1);

  /** What the keeper is about, and whom it tells; called from any thread, must not block. */
  interface Owner {

    /** The VLAN as it is at this moment; empty once it was left. */
    Optional<HostVlan> vlan();

    /** The leases in etcd changed, or what is known of the peers. */
    void changed();

    /**
     * A lease of this very host that the VLAN does not have: an end between etcd and the journal
     * left it, or a journal that was put back from an old copy.
     *
     * @return false to be asked again
     */
    boolean takeOver(Lease lease);

    /** For the next start. */
    void remember(Peers peers);
  }

  /**
   * What etcd showed, and what is made of it.
   *
   * @param listings how many times etcd was listed
   * @param shown its state as it last showed it; empty until it has
   */
  private record Known(long listings, Optional<VlanEntries> shown, Peers peers) {

    Known with(Peers next) {
      return new Known(listings, shown, next);
    }
  }

  private final String vlan;
  private final VlanStore store;
  private final Owner owner;
  private final InstantSource clock;
  private final VlanConfigKeeper config;
  private final LeaseWatch watch;
  private final Thread thread;

  private final LastGrants grants = new LastGrants();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition wakeUp = lock.newCondition();
  private volatile Known known;
  private boolean stale;
  private boolean closed;

  // Touched by the thread alone.
  private final Map<Cidr, Instant> due = new HashMap<>();
  private final Map<Cidr, String> said = new HashMap<>();
  private final PeersRecord record;
  private Instant lastLook = Instant.EPOCH;

  /**
   * Begins to watch and to keep.
   *
   * @param before what was known when this host last looked
   */
  LeaseKeeper(VlanStore store, HostVlan here, Peers before, Owner owner, InstantSource clock) {
    this.vlan = here.name();
    this.store = store;
    this.owner = owner;
    this.clock = clock;
    this.known = new Known(0, Optional.empty(), before);
    this.record = new PeersRecord(vlan, before, owner::remember);
    this.config = new VlanConfigKeeper(store, here.vlan());
    this.thread = Thread.ofVirtual().name("leases-" + vlan).start(this::run);
    this.watch = store.watchLeases(here.vlan(), new Follower());
  }

  /** All leases as etcd last showed them; empty until it has. */
  Optional<Leases> shown() {
    return known.shown().map(VlanEntries::leases);
  }

  /** Whether that is the state of now, give or take the delay of the network. */
  boolean isCurrent() {
    return watch.isCurrent();
  }

  /** How many times etcd was listed anew; between two of them it may have become another. */
  long listings() {
    return known.listings();
  }

  /** All leases that lead to a host, also those that etcd lost; empty if none was ever known. */
  Optional<List<Lease>> peers() {
    Known now = known;
    return now.shown().isEmpty() && now.peers().standing().isEmpty()
        ? Optional.empty()
        : Optional.of(now.peers().all());
  }

  /** This host's part has changed: looks again. */
  void wake() {
    lock.lock();
    try {
      stale = true;
      wakeUp.signal();
    } finally {
      lock.unlock();
    }
  }

  private final class Follower implements WatchListener<VlanEntries> {

    private List<BrokenEntry> broken = List.of();
    private boolean isList = true;

    @Override
    public void current(VlanEntries entries) {
      Leases leases = entries.leases();
      if (!leases.broken().equals(broken)) {
        broken = leases.broken();
        broken.forEach(entry -> LOG.warn("VLAN {}: passed over: {}", vlan, entry.reason()));
      }
      OwnLeases ofOurs = isList ? grants.judge(owner.vlan(), leases) : OwnLeases.AS_LAST;
      grants.shown(leases);
      lock.lock();
      try {
        Peers peers = known.peers();
        Peers next = peers.after(entries, ofOurs, clock.instant());
        if (!next.missed().isEmpty() && !next.missed().equals(peers.missed())) {
          LOG.warn(
              "VLAN {}: etcd lost {}: the ways there stay until their hosts put them back",
              vlan,
              next.missed().keySet());
        }
        if (!next.former().isEmpty() && !next.former().equals(peers.former())) {
          LOG.warn(
              "VLAN {}: etcd went back in time: the ways to {} stay until their hosts put them back",
              vlan,
              next.former().keySet());
        }
        known = new Known(known.listings() + (isList ? 1 : 0), Optional.of(entries), next);
        stale = true;
        wakeUp.signal();
      } finally {
        lock.unlock();
      }
      isList = false;
      owner.changed();
    }

    @Override
    public void notCurrent(EtcdException reason) {
      isList = true;
      lock.lock();
      try {
        known = known.with(known.peers().withoutEtcd());
      } finally {
        lock.unlock();
      }
      LOG.warn("VLAN {}: peers stay as they are until etcd is back: {}", vlan, reason.getMessage());
    }
  }

  private void run() {
    Duration wait = LONGEST_WAIT;
    while (awaitWork(wait)) {
      wait = shorter(shorter(keep(), settle()), writePeers(BEFORE_WRITING_PEERS));
    }
    // Clears the interrupt that ended the work: it would close the journal's file.
    boolean _ = Thread.interrupted();
    writePeers(Duration.ZERO);
  }

  /** Waits for news, or this long; false when it is time to end. */
  private boolean awaitWork(Duration atMost) {
    lock.lock();
    try {
      long left = atMost.toNanos();
      while (!closed && !stale && left > 0) {
        left = wakeUp.awaitNanos(left);
      }
      stale = false;
      return !closed;
    } catch (InterruptedException _) {
      return false;
    } finally {
      lock.unlock();
    }
  }

  /** Puts right what is not; returns how long nothing needs to be done. */
  private Duration keep() {
    Known now = known;
    Optional<HostVlan> here = owner.vlan();
    if (here.isEmpty() || now.shown().isEmpty()) {
      return LONGEST_WAIT;
    }
    VlanEntries entries = now.shown().get();
    try {
      config.keep(entries.config());
      Duration wait = leases(here.get(), entries.leases(), now.peers());
      return config.isTroubled() ? shorter(wait, RETRY) : wait;
    } catch (EtcdException e) {
      LOG.debug("VLAN {} waits: {}", vlan, e.getMessage());
      return RETRY;
    } catch (RuntimeException e) {
      // A bug must not end the keeping of this VLAN.
      LOG.error("VLAN {} is not kept", vlan, e);
      return RETRY;
    }
  }

  private Duration leases(HostVlan here, Leases leases, Peers peers) {
    Instant now = clock.instant();
    if (now.isBefore(lastLook.minus(CLOCK_LEEWAY))) {
      // Set back: what is due by it would come too late. etcd knows what is left.
      due.clear();
    }
    lastLook = now;
    Instant next = now.plus(LONGEST_WAIT);
    due.keySet().retainAll(here.leased());
    said.keySet().retainAll(here.leased());
    for (Lease lease : here.leases()) {
      try {
        Instant renewal = keep(here, lease, leases, peers);
        next = renewal.isBefore(next) ? renewal : next;
        said.remove(lease.subnet());
      } catch (VlanException e) {
        String trouble = String.valueOf(e.getMessage());
        boolean ours = here.subnets().contains(lease.subnet());
        // What that means for a plain subnet, PlainSubnets says, and sets another one aside.
        if (!trouble.equals(said.put(lease.subnet(), trouble)) && ours) {
          LOG.error("{}. Containers here keep their addresses of it, new ones get none", trouble);
        }
      }
    }
    Duration wait = Duration.between(clock.instant(), next);
    wait = wait.isNegative() ? Duration.ofNanos(1) : wait;
    return forgotten(here, leases).allMatch(lease -> takeOverOrGiveBack(here, lease, peers))
        ? wait
        : shorter(wait, RETRY);
  }

  /** A lease of ours that we do not have: of before another host had it, or lost with our state. */
  private boolean takeOverOrGiveBack(HostVlan here, Lease lease, Peers peers) {
    Optional<IpAddress> successor = peers.successor(lease);
    if (successor.isEmpty()) {
      return owner.takeOver(lease);
    }
    if (store.release(here.vlan(), lease, here::isKnownAs)) {
      LOG.warn(
          "VLAN {}: {} was this host's before it was {}'s, and is given back to it",
          vlan,
          lease.subnet(),
          successor.get());
    }
    return true;
  }

  private static Stream<Lease> forgotten(HostVlan here, Leases leases) {
    return leases.bySubnet().values().stream()
        .filter(here::isKnownAs)
        .filter(lease -> !here.leased().contains(lease.subnet()));
  }

  private Instant keep(HostVlan here, Lease lease, Leases leases, Peers peers) {
    Instant now = clock.instant();
    boolean stands = leases.holds(lease);
    Instant until =
        stands
            ? due.computeIfAbsent(lease.subnet(), _ -> store.renewalOf(here.vlan(), lease))
            : Instant.MIN;
    if (until.isAfter(now)) {
      return until;
    }
    Renewal renewal =
        store.renew(here.vlan(), lease, other -> here.owns(other) || peers.isFormer(other, lease));
    grants.wrote(lease.key(), renewal.grant());
    LOG.info("{} lease {} of VLAN {}", stands ? "renewed" : "put back", lease.subnet(), vlan);
    due.put(lease.subnet(), renewal.next());
    return renewal.next();
  }

  /** Takes etcd's word for what no host has put back in time; returns how long that can wait. */
  private Duration settle() {
    Instant now = clock.instant();
    lock.lock();
    try {
      Peers peers = known.peers();
      Peers settled = peers.settled(now);
      if (settled.equals(peers)) {
        return peers.former().isEmpty() ? LONGEST_WAIT : Duration.between(now, peers.trusted());
      }
      LOG.warn("VLAN {}: nobody put back {}: as etcd has it now", vlan, peers.former().keySet());
      known = known.with(settled);
    } finally {
      lock.unlock();
    }
    owner.changed();
    return LONGEST_WAIT;
  }

  private Duration writePeers(Duration calm) {
    return record.write(known.peers(), calm);
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) <= 0 ? one : other;
  }

  /** Asks it to end; {@link #close} waits for that. */
  void end() {
    lock.lock();
    try {
      if (!closed) {
        closed = true;
        wakeUp.signal();
        // Under the lock: who sees that it is closed has been interrupted, and will not be again.
        thread.interrupt();
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    end();
    watch.close();
    try {
      if (!thread.join(CLOSE_PATIENCE)) {
        LOG.warn("VLAN {}: its keeper is still at work, left behind", vlan);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
