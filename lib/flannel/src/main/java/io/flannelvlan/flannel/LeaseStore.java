package io.flannelvlan.flannel;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.etcd.Grant;
import io.flannelvlan.etcd.Guard;
import io.flannelvlan.etcd.KeyValue;
import io.flannelvlan.etcd.Snapshot;
import io.flannelvlan.etcd.Txn;
import io.flannelvlan.flannel.VlanException.Kind;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The leases of all VLANs, and this host's part of them.
 *
 * <p>A host is known by its public address alone, as flannel has it: whatever lease carries it is
 * this host's, also one that a flanneld wrote here. Each key has a grant of its own, 24 hours long;
 * a renewal is a new grant, and the old one is left to end, as it no longer holds any key of ours.
 *
 * <p>Two calls for one host and VLAN at the same time may each take a subnet; the caller sees to it
 * that there is one.
 */
final class LeaseStore {

  private static final Logger LOG = LoggerFactory.getLogger(LeaseStore.class);

  /** flannel's; a shorter one would cost routes when etcd is away for a while. */
  private static final Duration TTL = Duration.ofDays(1);

  /** flannel's; time enough for many tries. */
  private static final Duration MARGIN = Duration.ofMinutes(60);

  /** Each lost race gave another host its subnet, so many hosts can start at once. */
  private static final int TRIES = 32;

  private static final int MOST_PAUSE_MILLIS = 20;

  private final Etcd etcd;
  private final FlannelKeys keys;
  private final RandomGenerator random;
  private final InstantSource clock;

  LeaseStore(Etcd etcd, FlannelKeys keys, RandomGenerator random, InstantSource clock) {
    this.etcd = etcd;
    this.keys = keys;
    this.random = random;
    this.clock = clock;
  }

  Leases list(String vlan) {
    return Leases.read(etcd.range(keys.subnets(vlan)), Leases.NONE);
  }

  boolean release(String vlan, Lease lease, Predicate<Lease> ours) {
    String key = keys.lease(vlan, lease.key());
    for (int i = 0; i < TRIES; i++) {
      Optional<KeyValue> now =
          etcd.get(key)
              .filter(kv -> FlannelJson.publicIpOf(kv.value()).isPresent())
              .filter(kv -> rival(kv, lease.key(), ours).isEmpty());
      if (now.isEmpty()) {
        return false;
      }
      if (etcd.txn(Txn.when(Guard.unchanged(now.get())).delete(key)).succeeded()) {
        return true;
      }
    }
    throw contended("given back", vlan, lease.subnet());
  }

  /**
   * When a lease found in etcd has to be renewed, by what is left of its grant; now if in doubt.
   */
  public Instant renewalOf(String vlan, Lease lease) {
    Instant now = clock.instant();
    return etcd.get(keys.lease(vlan, lease.key()))
        .filter(kv -> kv.grant() != 0)
        .flatMap(kv -> etcd.timeToLive(kv.grant()))
        .map(left -> renewAt(now, left))
        .orElse(now);
  }

  Lease acquire(Vlan vlan, LeaseAttributes attributes, Wish wish, boolean ownAgain) {
    Grant grant = etcd.grant(TTL);
    try {
      for (int i = 0; i < TRIES; i++) {
        Snapshot snapshot = etcd.range(keys.subnets(vlan.name()));
        Leases leases = Leases.read(snapshot, Leases.NONE);
        Optional<Lease> own =
            ownAgain ? own(vlan, leases, attributes.publicIp(), wish) : Optional.empty();
        Optional<Lease> held =
            own.isPresent()
                ? adopt(vlan, own.get().key(), attributes, snapshot, grant)
                : create(vlan, attributes, wish, leases, grant);
        if (held.isPresent()) {
          return held.get();
        }
        pause();
      }
    } catch (VlanException e) {
      abandon(grant);
      throw e;
    }
    abandon(grant);
    throw contended("taken", vlan.name(), vlan.range());
  }

  private static Optional<Lease> own(Vlan vlan, Leases leases, IpAddress host, Wish wish) {
    return leases.of(host).stream()
        .filter(lease -> vlan.config().layout().allows(lease.subnet()))
        .filter(lease -> wish.isGrantedBy(lease.subnet()))
        .min(
            Comparator.comparingInt(
                lease -> wish.remembered().filter(lease.subnet()::equals).isPresent() ? 0 : 1));
  }

  private Optional<Lease> adopt(
      Vlan vlan, SubnetKey subnet, LeaseAttributes attributes, Snapshot snapshot, Grant grant) {
    String key = keys.lease(vlan.name(), subnet);
    KeyValue listed = Objects.requireNonNull(snapshot.entries().get(key));
    Txn txn = Txn.when(Guard.unchanged(listed)).put(key, FlannelJson.write(attributes), grant);
    return committed(txn, new Lease(subnet, attributes));
  }

  private Optional<Lease> create(
      Vlan vlan, LeaseAttributes attributes, Wish wish, Leases leases, Grant grant) {
    Snapshot promised = etcd.range(FlannelKeys.reservations(vlan.range()));
    Map<Cidr, String> taken = leases.holders();
    taken.putAll(Reservations.ofOthers(promised, attributes.publicIp()));
    Cidr subnet = new FreeSubnets(vlan.config().layout(), taken).pick(wish, random);
    String key = keys.lease(vlan.name(), SubnetKey.of(subnet));
    String reservation = FlannelKeys.reservation(vlan.range(), subnet);
    Txn txn =
        Txn.when(Guard.absent(key), Reservations.guard(promised, reservation))
            .put(key, FlannelJson.write(attributes), grant)
            .delete(reservation);
    return committed(txn, new Lease(subnet, attributes));
  }

  private Optional<Lease> committed(Txn txn, Lease lease) {
    return etcd.txn(txn).succeeded() ? Optional.of(lease) : Optional.empty();
  }

  Renewal rewrite(
      String vlan, SubnetKey subnet, LeaseAttributes attributes, Predicate<Lease> ours) {
    String key = keys.lease(vlan, subnet);
    Instant begin = clock.instant();
    Grant grant = etcd.grant(TTL);
    for (int i = 0; i < TRIES; i++) {
      Optional<KeyValue> now = etcd.get(key);
      Optional<IpAddress> holder = now.flatMap(kv -> rival(kv, subnet, ours));
      if (holder.isPresent()) {
        abandon(grant);
        throw new VlanException(
            Kind.TAKEN,
            "the lease of "
                + subnet.subnet()
                + " in VLAN "
                + vlan
                + " is not this host's any more: host "
                + holder.get()
                + " holds it");
      }
      Txn txn = Txn.when(Guard.asRead(key, now)).put(key, FlannelJson.write(attributes), grant);
      if (etcd.txn(txn).succeeded()) {
        return new Renewal(renewAt(begin, grant.ttl()), grant.id());
      }
    }
    abandon(grant);
    throw contended("renewed", vlan, subnet.subnet());
  }

  /** The other host that a lease's value names; a value that names none is damage to ours. */
  private static Optional<IpAddress> rival(
      KeyValue value, SubnetKey subnet, Predicate<Lease> ours) {
    Optional<IpAddress> host = FlannelJson.publicIpOf(value.value());
    return host.isEmpty() || ours.test(new Lease(subnet, attributes(value, host.get())))
        ? Optional.empty()
        : host;
  }

  private static LeaseAttributes attributes(KeyValue value, IpAddress host) {
    try {
      return FlannelJson.readLease(value.key(), value.value());
    } catch (FlannelFormatException _) {
      return new LeaseAttributes(host, Optional.empty(), new LeaseBackend.Other("", ""));
    }
  }

  private static Instant renewAt(Instant from, Duration remaining) {
    // A grant that is nearly used up, or was short from the start, is renewed at half time.
    Duration half = remaining.dividedBy(2);
    Duration wait = remaining.minus(MARGIN);
    return from.plus(wait.compareTo(half) > 0 ? wait : half);
  }

  /** A grant without a key harms nobody and ends by itself, so failing to end it is no failure. */
  private void abandon(Grant grant) {
    try {
      etcd.revoke(grant);
    } catch (EtcdException e) {
      LOG.debug("a grant without a key stays until it ends: {}", e.getMessage());
    }
  }

  private void pause() {
    try {
      Thread.sleep(random.nextInt(MOST_PAUSE_MILLIS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static VlanException contended(String what, String vlan, Cidr subnet) {
    return new VlanException(
        Kind.CONTENDED,
        subnet + " of VLAN " + vlan + " could not be " + what + ": others write it all the time");
  }
}
