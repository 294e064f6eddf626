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
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Leases that this host has left behind: kept in the journal until etcd has taken them back,
 * through restarts too. A subnet that this host has again by then stays.
 *
 * <p>Works under the lock of {@link HostVlans}, so that nobody joins what is being given back.
 */
final class Departures implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Departures.class);
  private static final Duration RETRY = Duration.ofSeconds(5);

  private final VlanStore store;
  private final Journal journal;
  private final Table<HostVlan> leaving;
  private final Function<String, Optional<HostVlan>> present;
  private final ReentrantLock joining;
  private final Condition left;
  private final Thread thread = Thread.ofVirtual().name("departures").unstarted(this::run);

  Departures(
      VlanStore store,
      Journal journal,
      ReentrantLock joining,
      Function<String, Optional<HostVlan>> present) {
    this.store = store;
    this.journal = journal;
    this.leaving = journal.table("leaving", HostVlan.class);
    this.joining = joining;
    this.left = joining.newCondition();
    this.present = present;
  }

  void start() {
    thread.start();
  }

  Collection<HostVlan> all() {
    return leaving.values();
  }

  /** Adds to the batch that the VLAN is being left; {@link #settle} once it is committed. */
  void add(Batch batch, HostVlan vlan) {
    HostVlan all =
        leaving
            .get(vlan.name())
            .filter(before -> before.publicAddress().equals(vlan.publicAddress()))
            .map(before -> withMore(vlan, before.subnets()))
            .orElse(vlan);
    batch.put(leaving, all.name(), all);
  }

  private static HostVlan withMore(HostVlan vlan, List<Cidr> subnets) {
    HostVlan all = vlan;
    for (Cidr subnet : subnets) {
      all = all.subnets().contains(subnet) ? all : all.with(subnet);
    }
    return all;
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
            vlan.subnets(),
            vlan.name(),
            e.getMessage());
        return;
      }
    }
  }

  private void giveBack(HostVlan vlan) {
    List<Cidr> again = present.apply(vlan.name()).map(HostVlan::subnets).orElse(List.of());
    for (Lease lease : vlan.leases()) {
      if (!again.contains(lease.subnet())) {
        store.release(vlan.vlan(), lease);
      }
    }
    journal.commit(new Batch().remove(leaving, vlan.name()));
  }

  private void run() {
    try {
      joining.lockInterruptibly();
      try {
        while (true) {
          while (leaving.values().isEmpty()) {
            left.await();
          }
          pause();
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

  private void retry() {
    for (HostVlan vlan : leaving.values()) {
      try {
        giveBack(vlan);
        LOG.info("gave back {} of VLAN {}, left before", vlan.subnets(), vlan.name());
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
