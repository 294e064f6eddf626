package io.flannelvlan.ipam;

import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.journal.Table;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings etcd up to what the journal says, in the background: what was given out or taken back
 * while etcd was away, and who an address went to.
 *
 * <p>Works per address and by state, so that a lost step is simply done again. {@link #lock} guards
 * {@link #dirty} and is never held over a call.
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
  private final Table<AllocatedAddress> table;
  private final Predicate<IpAddress> isTaken;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Where an address's key is, resolved at once: the VLAN may be left before it is written. */
  private record Place(String vlan, IpAddress host) {}

  /** Addresses whose key may differ from the journal. */
  private final LinkedHashMap<IpAddress, Place> dirty = new LinkedHashMap<>();

  private final Thread thread = Thread.ofVirtual().name("address-mirror").unstarted(this::run);

  /**
   * A mirror, not yet started.
   *
   * @param isTaken whether the address is given out, or about to be
   */
  AddressMirror(
      HostVlans vlans,
      AddressKeys keys,
      Table<AllocatedAddress> table,
      Predicate<IpAddress> isTaken) {
    this.vlans = vlans;
    this.keys = keys;
    this.table = table;
    this.isTaken = isTaken;
  }

  /** Compares everything once, then follows. */
  void start() {
    table.values().forEach(address -> touch(address.address().address(), address.range()));
    thread.start();
  }

  /** An address of a VLAN that is not joined yet has no key; joining touches it again. */
  void touch(IpAddress address, Cidr range) {
    vlans
        .byRange(range)
        .ifPresent(vlan -> touch(address, new Place(vlan.name(), vlan.publicAddress())));
  }

  private void touch(IpAddress address, Place place) {
    lock.lock();
    try {
      dirty.put(address, place);
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Whether etcd has yet to be told about the address. */
  boolean isBehindWith(IpAddress address) {
    lock.lock();
    try {
      return dirty.containsKey(address);
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    try {
      sweep();
      while (true) {
        Map.Entry<IpAddress, Place> next = take();
        try {
          settle(next.getKey(), next.getValue());
        } catch (EtcdException e) {
          touch(next.getKey(), next.getValue());
          LOG.debug("{} waits for etcd: {}", next.getKey(), e.getMessage());
          pause();
        } catch (RuntimeException e) {
          // A bug about one address must not keep the others from etcd.
          LOG.error("the key of {} is not written", next.getKey(), e);
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /** Keys of ours that the journal does not know are of a crash between etcd and the journal. */
  private void sweep() throws InterruptedException {
    for (HostVlan vlan : vlans.all()) {
      while (true) {
        try {
          keys.list(vlan.name()).entrySet().stream()
              .filter(entry -> entry.getValue().isAt(vlan.publicAddress()))
              .forEach(entry -> touch(entry.getKey(), vlan.range()));
          break;
        } catch (EtcdException e) {
          LOG.debug("addresses of {} wait for etcd: {}", vlan.name(), e.getMessage());
          pause();
        }
      }
    }
  }

  private Map.Entry<IpAddress, Place> take() throws InterruptedException {
    lock.lock();
    try {
      if (dirty.isEmpty()) {
        while (dirty.isEmpty()) {
          changed.await();
        }
        calm();
      }
      return dirty.pollFirstEntry();
    } finally {
      lock.unlock();
    }
  }

  /** Others go on touching meanwhile; nothing but {@link #take} removes. */
  private void calm() throws InterruptedException {
    long left = CALM.toNanos();
    while (left > 0) {
      left = changed.awaitNanos(left);
    }
  }

  private void settle(IpAddress address, Place place) {
    Optional<AllocatedAddress> wanted = table.get(address.toString());
    if (wanted.isPresent()) {
      keys.write(place.vlan(), place.host(), wanted.get());
    } else if (!isTaken.test(address)) {
      keys.remove(place.vlan(), place.host(), address);
    }
    // Taken without a record: claimed a moment ago, and the journal is about to know it.
  }

  private void pause() throws InterruptedException {
    TimeUnit.NANOSECONDS.sleep(PAUSE_WHILE_AWAY.toNanos());
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
