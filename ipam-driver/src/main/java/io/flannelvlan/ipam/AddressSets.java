package io.flannelvlan.ipam;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/**
 * What is taken in all subnets of this host; from any thread. {@link #lock} guards both fields and
 * is never held over I/O.
 */
final class AddressSets implements AddressMirror.Owner {

  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Cidr, AddressSet> sets = new HashMap<>();

  /** Taken only because etcd says that another host holds them. */
  private final Set<IpAddress> passedOver = new HashSet<>();

  Optional<IpAddress> next(Cidr subnet, Cidr within) {
    return locked(subnet, set -> set.next(within));
  }

  /** False if it is taken, or none that is given out. */
  boolean take(Cidr subnet, IpAddress address) {
    return locked(subnet, set -> set.take(address));
  }

  void free(Cidr subnet, IpAddress address) {
    locked(subnet, set -> set.free(address));
  }

  /** Whether the address is one that can be given out in the subnet. */
  boolean holds(Cidr subnet, IpAddress address) {
    return locked(subnet, set -> set.holds(address));
  }

  /** How many of the subnet's addresses are taken, and how many it has. */
  String usage(Cidr subnet) {
    return locked(subnet, set -> set.takenCount() + " of " + set.capacity());
  }

  /** What was taken just now is another host's: it stays taken until the mirror has looked. */
  void passOver(IpAddress address) {
    lock.lock();
    try {
      passedOver.add(address);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean isTaken(IpAddress address) {
    lock.lock();
    try {
      return sets.values().stream().anyMatch(set -> set.isTaken(address));
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void others(Cidr range, Set<IpAddress> held) {
    lock.lock();
    try {
      List<IpAddress> free =
          passedOver.stream()
              .filter(address -> range.contains(address) && !held.contains(address))
              .toList();
      free.forEach(passedOver::remove);
      sets.values().forEach(set -> free.stream().filter(set::isTaken).forEach(set::free));
    } finally {
      lock.unlock();
    }
  }

  private <R> R locked(Cidr subnet, Function<AddressSet, R> work) {
    lock.lock();
    try {
      return work.apply(sets.computeIfAbsent(subnet, AddressSet::new));
    } finally {
      lock.unlock();
    }
  }
}
