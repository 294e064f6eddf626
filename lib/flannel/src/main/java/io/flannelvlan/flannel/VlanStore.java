package io.flannelvlan.flannel;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.Guard;
import io.flannelvlan.etcd.KeyValue;
import io.flannelvlan.etcd.Txn;
import io.flannelvlan.etcd.WatchListener;
import io.flannelvlan.flannel.VlanException.Kind;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * flannel's VLANs and leases in etcd. Every method asks etcd, and fails with its exception while it
 * is away.
 */
public final class VlanStore {

  /** Each lost race means that another creation went through, so this many is a storm. */
  private static final int TRIES = 20;

  private final Etcd etcd;
  private final FlannelKeys keys;
  private final LeaseStore leases;

  public VlanStore(Etcd etcd, FlannelKeys keys, RandomGenerator random, InstantSource clock) {
    this.etcd = etcd;
    this.keys = keys;
    this.leases = new LeaseStore(etcd, keys, random, clock);
  }

  public Vlans list() {
    return Vlans.read(keys, etcd.range(keys.all()), Vlans.NONE);
  }

  /**
   * One VLAN, however its config came to be.
   *
   * @throws FlannelFormatException if its config cannot be used
   */
  public Optional<Vlan> find(String name) {
    return etcd.get(keys.config(name)).map(kv -> read(name, kv));
  }

  /**
   * Makes a VLAN, or finds it made with the same content already.
   *
   * <p>All creations by any host follow one another, because each rewrites one common key that the
   * next one checks: two that conflict cannot both pass. A config put by hand meanwhile is seen as
   * well, unless it comes under another name in the same moment.
   *
   * @throws VlanException naming what holds the name, the VNI or the range
   * @throws FlannelFormatException if a config of this name is there and cannot be used
   */
  public Vlan create(String name, NetworkConfig config) {
    Vlan wish = new Vlan(name, config);
    String key = keys.config(name);
    for (int i = 0; i < TRIES; i++) {
      // The registry first: whatever is created after this read changes it.
      Optional<KeyValue> registry = etcd.get(FlannelKeys.REGISTRY);
      Optional<Vlan> standing = find(name);
      if (standing.isPresent()) {
        return requireSame(wish, standing.get());
      }
      list().requireRoomFor(wish);
      Txn txn =
          Txn.when(
                  Guard.absent(key),
                  registry
                      .map(Guard::unchanged)
                      .orElseGet(() -> Guard.absent(FlannelKeys.REGISTRY)))
              .put(key, FlannelJson.write(config))
              .put(FlannelKeys.REGISTRY, "{\"last\":\"" + keys.vlan(name) + "\"}");
      if (etcd.txn(txn).succeeded()) {
        return wish;
      }
    }
    throw new VlanException(
        Kind.CONTENDED, "VLAN " + name + " cannot be made: too many VLANs are being made just now");
  }

  /**
   * Takes back a VLAN that this host made a moment ago and could not join, if no host has joined it
   * meanwhile.
   */
  public void discard(Vlan vlan) {
    if (leases(vlan).bySubnet().isEmpty()) {
      String key = keys.config(vlan.name());
      etcd.txn(Txn.when(Guard.hasValue(key, FlannelJson.write(vlan.config()))).delete(key));
    }
  }

  /** Follows the configs of all VLANs; tells only when one of them changed. */
  public VlanWatch watchVlans(WatchListener<Vlans> listener) {
    return new VlanWatch(etcd, keys, listener);
  }

  /** All leases of a VLAN, all hosts'. */
  public Leases leases(Vlan vlan) {
    return leases.list(vlan.name());
  }

  /** Follows all leases of a VLAN. */
  public LeaseWatch watchLeases(Vlan vlan, WatchListener<Leases> listener) {
    return new LeaseWatch(etcd, keys.subnets(vlan.name()), listener);
  }

  /**
   * A subnet for this host: its own lease again if that grants the wish, else a new one. Which host
   * it is, the public address in {@code attributes} says.
   *
   * <p>An own lease that does not fit the config any more is left alone, where flanneld deletes it:
   * containers may still use it. Its subnet stays taken until the lease ends.
   *
   * @throws VlanException if no subnet fits the wish
   */
  public Lease acquire(Vlan vlan, LeaseAttributes attributes, Wish wish) {
    return leases.acquire(vlan, attributes, wish, true);
  }

  /** One more subnet for this host, beside those it has. */
  public Lease acquireAnother(Vlan vlan, LeaseAttributes attributes, Wish wish) {
    return leases.acquire(vlan, attributes, wish, false);
  }

  /**
   * Writes the lease again for another 24 hours, also if it was gone meanwhile.
   *
   * <p>A value there that names no host at all is replaced as well: it is damage to this lease.
   *
   * @return when to renew it next
   * @throws VlanException if another host holds the subnet now
   */
  public Instant renew(Vlan vlan, Lease lease) {
    return leases.rewrite(vlan.name(), lease, lease.attributes());
  }

  /** As {@link #renew}, with a new public address or VTEP. */
  public Instant update(Vlan vlan, Lease lease, LeaseAttributes attributes) {
    return leases.rewrite(vlan.name(), lease, attributes);
  }

  /**
   * When a lease in etcd is to be renewed, by what is left of it; now if it is gone or in doubt.
   */
  public Instant renewalOf(Vlan vlan, Lease lease) {
    return leases.renewalOf(vlan.name(), lease);
  }

  /** Gives the subnet back; false if it was gone or another host's. */
  public boolean release(Vlan vlan, Lease lease) {
    return leases.release(vlan.name(), lease);
  }

  private static Vlan read(String name, KeyValue kv) {
    return new Vlan(name, FlannelJson.readConfig(kv.key(), kv.value()));
  }

  private static Vlan requireSame(Vlan wish, Vlan standing) {
    if (standing.config().equals(wish.config())) {
      return standing;
    }
    throw new VlanException(
        Kind.CONFLICT,
        "VLAN "
            + wish.name()
            + " exists as "
            + FlannelJson.write(standing.config())
            + ", which is not "
            + FlannelJson.write(wish.config()));
  }
}
