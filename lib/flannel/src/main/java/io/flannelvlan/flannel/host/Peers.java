package io.flannelvlan.flannel.host;

import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.Leases;
import io.flannelvlan.flannel.SubnetKey;
import io.flannelvlan.flannel.VlanEntries;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The leases by which hosts reach each other, through whatever etcd forgets; pure.
 *
 * <p>A lease goes when etcd ends it: by an event, or by its absence from a list that is complete.
 * One that is absent from a doubtful list, such as that of an etcd that was wiped or restored from
 * an old copy, is kept: its host lives on and will put it back.
 *
 * @param revision of the list that {@code standing} is from
 * @param created the revision that created the VLAN's config, 0 if it was never seen
 * @param standing as etcd shows them
 * @param missed not in etcd any more, though nobody ended them
 * @param doubted when etcd was last in doubt; what is missed for as long as a lease can last is
 *     dropped
 */
record Peers(
    long revision,
    long created,
    SortedMap<SubnetKey, Lease> standing,
    SortedMap<SubnetKey, Lease> missed,
    Instant doubted) {

  static final Peers NONE = new Peers(0, 0, new TreeMap<>(), new TreeMap<>(), Instant.EPOCH);

  /** What a lost lease could have lasted at most. */
  private static final Duration LONGEST = Duration.ofDays(1);

  Peers {
    standing = Collections.unmodifiableSortedMap(new TreeMap<>(standing));
    missed = Collections.unmodifiableSortedMap(new TreeMap<>(missed));
  }

  /**
   * What is known once etcd has shown its state.
   *
   * @param lacksOurs whether it is a list without this host's own leases: one that is not from the
   *     etcd that they were in, or not from its present
   */
  Peers after(VlanEntries entries, boolean lacksOurs, Instant now) {
    Leases shown = entries.leases();
    boolean wiped = entries.created() == 0 || (created != 0 && created != entries.created());
    boolean doubtful = lacksOurs || wiped || shown.revision() < revision;
    SortedMap<SubnetKey, Lease> left = new TreeMap<>();
    standing.forEach((key, lease) -> {
      // One whose value can't be read still names its subnet; its host will write it anew.
      if (doubtful || isBroken(shown, lease)) {
        left.put(key, lease);
      }
    });
    Instant since = doubtful ? now : doubted;
    if (since.plus(LONGEST).isAfter(now)) {
      left.putAll(missed);
    }
    // Back, or in other hands.
    left.values().removeIf(lease -> overlaps(shown.bySubnet().values(), lease));
    long known = entries.created() == 0 ? created : entries.created();
    return new Peers(shown.revision(), known, shown.bySubnet(), left, since);
  }

  /** Everybody's leases, this host's among them. */
  List<Lease> all() {
    List<Lease> all = new ArrayList<>(standing.values());
    all.addAll(missed.values());
    return all;
  }

  /** Whether a restart would have to know of the difference. */
  boolean hasSameLeases(Peers other) {
    return standing.equals(other.standing) && missed.equals(other.missed);
  }

  private static boolean isBroken(Leases shown, Lease lease) {
    return shown.broken().stream()
        .anyMatch(entry -> entry.claim().filter(lease.subnet()::equals).isPresent());
  }

  private static boolean overlaps(Collection<Lease> leases, Lease lease) {
    return leases.stream().anyMatch(other -> other.subnet().overlaps(lease.subnet()));
  }
}
