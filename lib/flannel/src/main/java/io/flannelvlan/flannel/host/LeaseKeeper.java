package io.flannelvlan.flannel.host;

import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.etcd.WatchListener;
import io.flannelvlan.flannel.BrokenEntry;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.LeaseWatch;
import io.flannelvlan.flannel.Leases;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanException;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.net.Cidr;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps this host's leases in one VLAN, and knows everybody's.
 *
 * <p>Level, not edge: whenever etcd shows its state, what is missing of ours is put back and what
 * is about to end is renewed. The subnet never changes under running containers: if another host
 * holds it, that is said loudly and nothing is overwritten. {@link #lock} guards the fields below
 * it and is never held over a call to etcd.
 */
final class LeaseKeeper implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LeaseKeeper.class);
  private static final Duration RETRY = Duration.ofSeconds(5);
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(10);

  private final VlanStore store;
  private final Vlan vlan;
  private final Supplier<List<Lease>> own;
  private final Runnable changed;
  private final InstantSource clock;
  private final LeaseWatch watch;
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition wakeUp = lock.newCondition();
  private Optional<Leases> known = Optional.empty();
  private boolean stale;
  private boolean closed;

  /** When each of our subnets is due; touched by {@link #thread} alone. */
  private final Map<Cidr, Instant> due = new HashMap<>();

  /**
   * Begins to watch and to keep.
   *
   * @param own this host's leases as they shall be at this moment
   * @param changed called when the leases in etcd changed
   */
  LeaseKeeper(
      VlanStore store,
      Vlan vlan,
      Supplier<List<Lease>> own,
      Runnable changed,
      InstantSource clock) {
    this.store = store;
    this.vlan = vlan;
    this.own = own;
    this.changed = changed;
    this.clock = clock;
    this.thread = Thread.ofVirtual().name("leases-" + vlan.name()).start(this::run);
    this.watch = store.watchLeases(vlan, new Follower());
  }

  /** All leases as etcd last showed them; empty until it has. */
  Optional<Leases> known() {
    lock.lock();
    try {
      return known;
    } finally {
      lock.unlock();
    }
  }

  private final class Follower implements WatchListener<Leases> {

    private List<BrokenEntry> broken = List.of();

    @Override
    public void current(Leases leases) {
      if (!leases.broken().equals(broken)) {
        broken = leases.broken();
        broken.forEach(entry -> LOG.warn("VLAN {}: passed over: {}", vlan.name(), entry.reason()));
      }
      lock.lock();
      try {
        known = Optional.of(leases);
        stale = true;
        wakeUp.signal();
      } finally {
        lock.unlock();
      }
      changed.run();
    }

    @Override
    public void notCurrent(EtcdException reason) {
      LOG.warn(
          "VLAN {}: peers stay as they are until etcd is back: {}",
          vlan.name(),
          reason.getMessage());
    }
  }

  private void run() {
    Duration wait = LONGEST_WAIT;
    while (awaitWork(wait)) {
      wait = known().map(this::keep).orElse(LONGEST_WAIT);
    }
  }

  /** Waits for news from etcd, or this long once there was some; false when it is time to end. */
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
  private Duration keep(Leases leases) {
    Instant next = clock.instant().plus(LONGEST_WAIT);
    List<Lease> wanted = new ArrayList<>(own.get());
    due.keySet().retainAll(wanted.stream().map(Lease::subnet).toList());
    for (Lease lease : wanted) {
      try {
        Instant renewal = keep(lease, leases);
        next = renewal.isBefore(next) ? renewal : next;
      } catch (EtcdException e) {
        LOG.debug("lease {} of VLAN {} waits: {}", lease.subnet(), vlan.name(), e.getMessage());
        return RETRY;
      } catch (VlanException e) {
        LOG.error("{}", e.getMessage());
      } catch (RuntimeException e) {
        // A bug must not end the keeping of this lease, nor that of the others.
        LOG.error("lease {} of VLAN {} is not kept", lease.subnet(), vlan.name(), e);
      }
    }
    Duration wait = Duration.between(clock.instant(), next);
    return wait.isNegative() ? Duration.ofNanos(1) : wait;
  }

  private Instant keep(Lease lease, Leases leases) {
    Instant now = clock.instant();
    boolean stands = leases.holds(lease);
    Instant renewal =
        stands
            ? due.computeIfAbsent(lease.subnet(), _ -> store.renewalOf(vlan, lease))
            : Instant.MIN;
    if (renewal.isAfter(now)) {
      return renewal;
    }
    Instant next = store.renew(vlan, lease);
    LOG.info(
        "{} lease {} of VLAN {}", stands ? "renewed" : "put back", lease.subnet(), vlan.name());
    due.put(lease.subnet(), next);
    return next;
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      wakeUp.signal();
    } finally {
      lock.unlock();
    }
    watch.close();
    try {
      // A step that is under way ends by its own deadline; after that nothing is written any more.
      thread.join(TimeUnit.SECONDS.toMillis(10));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
