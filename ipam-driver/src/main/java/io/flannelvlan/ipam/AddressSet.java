package io.flannelvlan.ipam;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.BitSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Optional;

/**
 * Which addresses of one subnet are taken; picks the next. Pure and not thread-safe.
 *
 * <p>Three addresses are never given out: the first (flannel's own link has it), the second (the
 * gateway on the bridge) and the last (the broadcast address). A freed address goes to the end of
 * the queue: it comes back only when all that were never used are gone, so that neither a client's
 * connection nor a neighbour's cache meets a new container under an old address.
 */
final class AddressSet {

  /** Offsets of the base and the gateway. */
  private static final int FIRST_OFFSET = 2;

  private final Cidr subnet;
  private final int lastOffset;
  private final BitSet taken = new BitSet();

  /** Offsets below this were given out at least once, or passed over as taken. */
  private int untouched = FIRST_OFFSET;

  private final LinkedHashSet<Integer> freed = new LinkedHashSet<>();

  /**
   * All free.
   *
   * @param subnet an IPv4 subnet of at most /8, the shortest prefix that flannel gives a host
   */
  AddressSet(Cidr subnet) {
    if (!subnet.base().isIpv4() || subnet.length() < 8) {
      throw new IllegalArgumentException(subnet + " is no IPv4 subnet of a host");
    }
    this.subnet = subnet;
    this.lastOffset = (int) Math.max(FIRST_OFFSET - 1, subnet.size() - 2);
  }

  /** Takes the next free address that lies in {@code range}; empty if there is none. */
  Optional<IpAddress> next(Cidr range) {
    Optional<Integer> offset = nextUntouched(range).or(() -> nextFreed(range));
    offset.ifPresent(taken::set);
    return offset.map(this::at);
  }

  private Optional<Integer> nextUntouched(Cidr range) {
    while (untouched <= lastOffset && taken.get(untouched)) {
      untouched++;
    }
    for (int offset = untouched; offset <= lastOffset; offset++) {
      if (!taken.get(offset) && !freed.contains(offset) && range.contains(at(offset))) {
        // Only a walk without gaps moves the mark; a narrow range leaves the rest untouched.
        if (offset == untouched) {
          untouched++;
        }
        return Optional.of(offset);
      }
    }
    return Optional.empty();
  }

  private Optional<Integer> nextFreed(Cidr range) {
    for (Iterator<Integer> all = freed.iterator(); all.hasNext(); ) {
      int offset = all.next();
      if (range.contains(at(offset))) {
        all.remove();
        return Optional.of(offset);
      }
    }
    return Optional.empty();
  }

  /** Takes this address; false if it is taken, reserved or outside. */
  boolean take(IpAddress address) {
    if (!holds(address)) {
      return false;
    }
    int offset = offset(address);
    if (taken.get(offset)) {
      return false;
    }
    freed.remove(offset);
    taken.set(offset);
    return true;
  }

  /** Gives the address back; false if it was not taken. */
  boolean free(IpAddress address) {
    if (!holds(address) || !taken.get(offset(address))) {
      return false;
    }
    taken.clear(offset(address));
    freed.add(offset(address));
    return true;
  }

  boolean isTaken(IpAddress address) {
    return holds(address) && taken.get(offset(address));
  }

  /** Whether the address is one that can be given out here. */
  boolean holds(IpAddress address) {
    if (!subnet.contains(address)) {
      return false;
    }
    long offset = address.minus(subnet.base());
    return offset >= FIRST_OFFSET && offset <= lastOffset;
  }

  int takenCount() {
    return taken.cardinality();
  }

  int capacity() {
    return lastOffset - FIRST_OFFSET + 1;
  }

  private int offset(IpAddress address) {
    return (int) address.minus(subnet.base());
  }

  private IpAddress at(int offset) {
    return subnet.base().plus(offset);
  }
}
