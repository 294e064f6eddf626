package io.flannelvlan.flannel.host;

import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.VlanException;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.journal.Table;
import io.flannelvlan.net.Cidr;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Leases that this host has left behind, or has asked for and not used: kept in the journal until
 * etcd has taken them back, through restarts too. A subnet that this host has again by then stays.
 *
 * <p>Works under the lock of {@link HostVlans}, so that nobody joins what is being given back.
 */
final class Departures implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Departures.class);
  private static final Duration RETRY = Duration.ofSeconds(5);

  private final VlanStore store;
  private final Journal journal;
  private final Table<HostVlan> leaving;

  /** What etcd has taken back; an old snapshot of it may bring it again. */
  private final Table<HostVlan> gone;

  private final Function<String, Optional<HostVlan>> present;
  private final ReentrantLock joining;
  private final Condition left;
  private BiConsumer<HostVlan, Cidr> clear = (_, _) -> {};

  /** Whether etcd was away since it was last seen to lack what is gone; under the lock. */
  private boolean doubtful;

  private final Thread thread = Thread.ofVirtual().name("departures").unstarted(this::run);

  Departures(
      VlanStore store,
      Journal journal,
      ReentrantLock joining,
      Function<String, Optional<HostVlan>> present) {
    this.store = store;
    this.journal = journal;
    this.leaving = journal.table("leaving", HostVlan.class);
    this.gone = journal.table("left", HostVlan.class);
    this.joining = joining;
    this.left = joining.newCondition();
    this.present = present;
  }

  /** Before {@link #start}: what is done about a subnet before its lease goes. */
  void clearFirst(BiConsumer<HostVlan, Cidr> clear) {
    this.clear = clear;
  }

  void start() {
    thread.start();
    store.whenEtcdIsBack(() -> Thread.startVirtualThread(this::doubt));
  }

  private void doubt() {
    joining.lock();
    try {
      doubtful = true;
      left.signal();
    } finally {
      joining.unlock();
    }
  }

  Collection<HostVlan> all() {
    return leaving.values();
  }

  /** Adds to the batch that the VLAN is being left; {@link #settle} once it is committed. */
  void add(Batch batch, HostVlan vlan) {
    HostVlan all =
        leaving
            .get(vlan.name())
            // At another address it is known by its MAC, as any lease from before a move.
            .filter(before -> vlan.isAt(before.publicAddress()) || isSame(before, vlan))
            .map(before -> withMore(vlan.formerlyAt(before.publicAddress()), before.leased()))
            .orElse(vlan);
    batch.put(leaving, all.name(), all);
  }

  private static boolean isSame(HostVlan before, HostVlan vlan) {
    return before.vtepMac().equals(vlan.vtepMac());
  }

  private static HostVlan withMore(HostVlan vlan, List<Cidr> subnets) {
    HostVlan all = vlan;
    for (Cidr subnet : subnets) {
      all = all.leased().contains(subnet) ? all : all.with(subnet);
    }
    return all;
  }

  /**
   * Notes a lease that is about to be taken: if this host ends, or etcd falls silent, before it has
   * joined, nobody uses the lease, and it is given back.
   */
  void expect(HostVlan vlan) {
    Batch batch = new Batch();
    add(batch, vlan);
    journal.commit(batch);
    left.signal();
  }

  /** Whether that lease is about to be given back. */
  boolean concerns(String vlan, Cidr subnet) {
    return leaving.get(vlan).filter(left -> left.leased().contains(subnet)).isPresent();
  }

  /** Adds to the batch that the expected lease is in use; {@link #expect} before. */
  void cancel(Batch batch, HostVlan joined) {
    leaving
        .get(joined.name())
        .filter(before -> joined.leased().containsAll(before.leased()))
        .ifPresent(_ -> batch.remove(leaving, joined.name()));
    gone.get(joined.name()).ifPresent(_ -> batch.remove(gone, joined.name()));
  }

  /** Gives back what can be given back now; the rest follows when etcd is back. */
  void settle() {
    left.signal();
    for (HostVlan vlan : leaving.values()) {
      try {
        giveBack(vlan);
      } catch (EtcdException | VlanException e) {
        LOG.warn(
            "the leases {} of VLAN {} stay in etcd until it is back: {}",
            vlan.leased(),
            vlan.name(),
            e.getMessage());
        return;
      }
    }
  }

  private void giveBack(HostVlan vlan) {
    List<Cidr> again = present.apply(vlan.name()).map(HostVlan::leased).orElse(List.of());
    for (Lease lease : vlan.leases()) {
      if (!again.contains(lease.subnet())) {
        clear.accept(vlan, lease.subnet());
        store.release(vlan.vlan(), lease, vlan::owns);
      }
    }
    journal.commit(
        new Batch().remove(leaving, vlan.name()).put(gone, vlan.name(), vlan).givingBack());
  }

  /** Takes away again what an old snapshot of etcd brought back; of this host beyond doubt. */
  private void giveBackAgain(HostVlan vlan) {
    if (present.apply(vlan.name()).isPresent() || leaving.get(vlan.name()).isPresent()) {
      return;
    }
    for (Lease lease : vlan.leases()) {
      clear.accept(vlan, lease.subnet());
      boolean stood = store.release(vlan.vlan(), lease, vlan::isKnownAs);
      if (stood) {
        LOG.warn("VLAN {}: {} was in etcd again, and is given back", vlan.name(), lease.subnet());
      }
    }
  }

  private void run() {
    try {
      joining.lockInterruptibly();
      try {
        while (true) {
          while (leaving.values().isEmpty() && !doubtful) {
            left.await();
          }
          pause();
          lookAgain();
          retry();
        }
      } finally {
        joining.unlock();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /** Lets others join and leave meanwhile. */
  private void pause() throws InterruptedException {
    long nanos = RETRY.toNanos();
    while (nanos > 0) {
      nanos = left.awaitNanos(nanos);
    }
  }

  private void lookAgain() throws InterruptedException {
    if (!doubtful) {
      return;
    }
    doubtful = false;
    for (HostVlan vlan : gone.values()) {
      try {
        giveBackAgain(vlan);
      } catch (RuntimeException e) {
        doubtful = true;
        LOG.debug("whether VLAN {} is left is still to be seen: {}", vlan.name(), e.getMessage());
      }
      // There may be hundreds: others join and leave between them.
      boolean _ = left.await(1, TimeUnit.MILLISECONDS);
    }
  }

  /** Tries it once more, where something is left; whether nothing is. */
  boolean isGivenBack(String name) {
    try {
      leaving.get(name).ifPresent(this::giveBack);
      return true;
    } catch (EtcdException | VlanException e) {
      LOG.debug("VLAN {} is still to be given back: {}", name, e.getMessage());
      return false;
    }
  }

  private void retry() {
    for (HostVlan vlan : leaving.values()) {
      try {
        giveBack(vlan);
        LOG.info("gave back {} of VLAN {}, left before", vlan.leased(), vlan.name());
      } catch (RuntimeException e) {
        // Etcd is away still, or the disk is full; either passes.
        LOG.debug("VLAN {} is still to be given back: {}", vlan.name(), e.getMessage());
      }
    }
  }

  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join(TimeUnit.SECONDS.toMillis(10));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
