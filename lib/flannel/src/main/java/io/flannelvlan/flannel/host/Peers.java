package io.flannelvlan.flannel.host;

import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.Leases;
import io.flannelvlan.flannel.SubnetKey;
import io.flannelvlan.flannel.VlanEntries;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The leases by which hosts reach each other, through whatever etcd forgets; pure.
 *
 * <p>A lease goes when etcd ends it: by an event, or by its absence from a list that is complete.
 * One that is absent from a doubtful list, such as that of an etcd that was wiped or restored from
 * an old copy, is kept: its host lives on and will put it back. So is what a host's lease said
 * last, when an etcd that was restored shows what it said before.
 *
 * @param revision of the list that {@code standing} is from
 * @param created the revision that created the VLAN's config, 0 if it was never seen
 * @param standing those that etcd has, as it shows them, but for {@code former}
 * @param missed not in etcd any more, though nobody ended them
 * @param former what etcd shows, since it went back in time, of some of {@code standing}
 * @param trusted until when their hosts may put back what they were; then etcd's word counts. The
 *     epoch if there is nothing to put back
 * @param doubted when etcd was last in doubt; what is missed for as long as a lease can last is
 *     dropped
 */
record Peers(
    long revision,
    long created,
    SortedMap<SubnetKey, Lease> standing,
    SortedMap<SubnetKey, Lease> missed,
    SortedMap<SubnetKey, Lease> former,
    Instant trusted,
    Instant doubted) {

  static final Peers NONE = new Peers(0, 0, new TreeMap<>(), new TreeMap<>(), Instant.EPOCH);

  /** What a lost lease could have lasted at most. */
  private static final Duration LONGEST = Duration.ofDays(1);

  /**
   * A host that is there puts its lease back within a second of etcd's return. One that moved back
   * while etcd was away has nothing to put back, and is not reached for as long as this.
   */
  private static final Duration GRACE = Duration.ofSeconds(10);

  private static final Instant WITHOUT_ETCD = Instant.MAX;

  Peers {
    standing = Collections.unmodifiableSortedMap(new TreeMap<>(standing));
    missed = Collections.unmodifiableSortedMap(new TreeMap<>(missed));
    former = Collections.unmodifiableSortedMap(new TreeMap<>(former));
    trusted = former.isEmpty() ? Instant.EPOCH : trusted;
  }

  /** With nothing that etcd shows otherwise. */
  Peers(
      long revision,
      long created,
      SortedMap<SubnetKey, Lease> standing,
      SortedMap<SubnetKey, Lease> missed,
      Instant doubted) {
    this(revision, created, standing, missed, new TreeMap<>(), Instant.EPOCH, doubted);
  }

  /**
   * What is known once etcd has shown its state.
   *
   * @param ofOurs what became of this host's own leases in it
   */
  Peers after(VlanEntries entries, OwnLeases ofOurs, Instant now) {
    Leases shown = entries.leases();
    boolean wiped = entries.created() == 0 || (created != 0 && created != entries.created());
    boolean earlier = shown.revision() < revision;
    boolean doubtful = ofOurs != OwnLeases.AS_LAST || wiped || earlier;
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
    // A revision alone tells nothing of an etcd that began anew since the copy was made.
    boolean wentBack = ofOurs == OwnLeases.EARLIER || (earlier && created == entries.created());
    SortedMap<SubnetKey, Lease> outdated = new TreeMap<>();
    SortedMap<SubnetKey, Lease> there = new TreeMap<>(shown.bySubnet());
    standing.forEach((key, lease) -> {
      Lease other = shown.bySubnet().get(key);
      if (other != null && !other.equals(lease) && (wentBack || other.equals(former.get(key)))) {
        there.put(key, lease);
        outdated.put(key, other);
      }
    });
    long known = entries.created() == 0 ? created : entries.created();
    Instant end = wentBack || trusted.equals(WITHOUT_ETCD) ? now.plus(GRACE) : trusted;
    return new Peers(shown.revision(), known, there, left, outdated, end, since);
  }

  /** As long as etcd is away nobody can put anything back: the time for it begins with its list. */
  Peers withoutEtcd() {
    return new Peers(revision, created, standing, missed, former, WITHOUT_ETCD, doubted);
  }

  /** As etcd has them, once nobody can be expected any more to put back what they were. */
  Peers settled(Instant now) {
    if (former.isEmpty() || now.isBefore(trusted)) {
      return this;
    }
    SortedMap<SubnetKey, Lease> there = new TreeMap<>(standing);
    there.putAll(former);
    return new Peers(revision, created, there, missed, doubted);
  }

  /**
   * Whether etcd, since it went back in time, shows the one where it last had the other, both of
   * one host.
   */
  boolean isFormer(Lease other, Lease last) {
    return other.equals(former.get(last.key()))
        && last.equals(standing.get(last.key()))
        && isSameHosts(other, last);
  }

  /** The host that etcd last had where it shows this lease, since it went back in time. */
  Optional<IpAddress> successor(Lease shown) {
    return Optional.ofNullable(standing.get(shown.key()))
        .filter(last -> shown.equals(former.get(shown.key())) && !isSameHosts(shown, last))
        .map(Lease::publicIp);
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

  /** A host keeps its MAC when it moves, and its address when it makes its link anew. */
  private static boolean isSameHosts(Lease one, Lease other) {
    Optional<MacAddress> mac = one.attributes().vtepMac();
    return one.isHeldBy(other.publicIp())
        || (mac.isPresent() && mac.equals(other.attributes().vtepMac()));
  }

  private static boolean isBroken(Leases shown, Lease lease) {
    return shown.broken().stream()
        .anyMatch(entry -> entry.claim().filter(lease.subnet()::equals).isPresent());
  }

  private static boolean overlaps(Collection<Lease> leases, Lease lease) {
    return leases.stream().anyMatch(other -> other.subnet().overlaps(lease.subnet()));
  }
}
