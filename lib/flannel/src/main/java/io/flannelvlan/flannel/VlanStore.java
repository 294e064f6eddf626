package io.flannelvlan.flannel;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.Guard;
import io.flannelvlan.etcd.KeyValue;
import io.flannelvlan.etcd.Txn;
import io.flannelvlan.etcd.WatchListener;
import io.flannelvlan.flannel.VlanException.Kind;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * flannel's VLANs and leases in etcd. Every method asks etcd, and fails with its exception while it
 * is away.
 */
public final class VlanStore {

  /** Each lost race means that another creation went through, so this many is a storm. */
  private static final int TRIES = 20;

  /** For an etcd that is away at this moment: together with its deadline less than 3 s. */
  private static final Duration PATIENCE = Duration.ofMillis(900);

  private final Etcd etcd;
  private final FlannelKeys keys;
  private final LeaseStore leases;
  private final InstantSource clock;

  public VlanStore(Etcd etcd, FlannelKeys keys, RandomGenerator random, InstantSource clock) {
    this.etcd = etcd;
    this.keys = keys;
    this.leases = new LeaseStore(etcd, keys, random, clock);
    this.clock = clock;
  }

  /**
   * As {@link #list}, for a user who waits: an etcd that missed one deadline is often back in a
   * moment, as on a host that is busy.
   */
  public Vlans listPatiently() {
    boolean _ = etcd.awaitAnswer(PATIENCE);
    return list();
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
   * <p>With it goes the word that the VLAN's Docker network will be described in a moment: the
   * others would make one of the VLAN's own name otherwise.
   *
   * @throws VlanException naming what holds the name, the VNI or the range
   * @throws FlannelFormatException if a config of this name is there and cannot be used
   */
  public Vlan create(String name, NetworkConfig config) {
    Vlan wish = new Vlan(name, config);
    return create(wish, /* anew= */ true).orElse(wish);
  }

  /**
   * As {@link #create}, for a VLAN that hosts are in and etcd has lost; false if it was removed
   * everywhere, and so is not lost.
   */
  public boolean putBack(Vlan vlan) {
    return create(vlan, /* anew= */ false).isPresent();
  }

  private Optional<Vlan> create(Vlan wish, boolean anew) {
    String name = wish.name();
    String key = keys.config(name);
    String network = FlannelKeys.network(name);
    for (int i = 0; i < TRIES; i++) {
      // The registry first: whatever is created after this read changes it.
      Optional<KeyValue> registry = etcd.get(FlannelKeys.REGISTRY);
      Optional<Vlan> standing = find(name);
      if (standing.isPresent()) {
        return Optional.of(requireSame(wish, standing.get()));
      }
      Optional<KeyValue> word = etcd.get(network);
      boolean removed = word.filter(kv -> says(kv, "removed")).isPresent();
      if (removed && !anew) {
        return Optional.empty();
      }
      list().requireRoomFor(wish);
      Txn txn =
          Txn.when(
                  Guard.absent(key),
                  Guard.asRead(FlannelKeys.REGISTRY, registry),
                  Guard.asRead(network, word))
              .put(key, FlannelJson.write(wish.config()))
              .put(FlannelKeys.REGISTRY, lastMade(name));
      // What is said of a VLAN that stood here before is not said of this one.
      if (word.isEmpty() || anew) {
        txn = txn.put(network, "{\"announced\":\"" + clock.instant() + "\"}");
      }
      if (etcd.txn(txn).succeeded()) {
        return Optional.of(wish);
      }
    }
    throw new VlanException(
        Kind.CONTENDED, "VLAN " + name + " cannot be made: too many VLANs are being made just now");
  }

  private String lastMade(String name) {
    return "{\"last\":\"" + keys.vlan(name) + "\"}";
  }

  /** What a word about a VLAN's Docker network begins with tells which word it is. */
  private static boolean says(KeyValue word, String what) {
    return word.value().startsWith("{\"" + what + "\":");
  }

  /**
   * Removes the config of a VLAN that no host is in; false if one is, or if it is another by now.
   */
  public boolean removeUnused(Vlan vlan) {
    String key = keys.config(vlan.name());
    // However its user wrote it.
    Optional<KeyValue> standing = etcd.get(key).filter(kv -> says(kv, vlan));
    boolean removed =
        standing.isPresent()
            && leases(vlan).bySubnet().isEmpty()
            && etcd.txn(Txn.when(Guard.unchanged(standing.get())).delete(key)).succeeded();
    if (removed && !leases(vlan).bySubnet().isEmpty()) {
      // A host joined it meanwhile, and saw it stand; one that comes later sees that it does not.
      etcd.txn(Txn.when(Guard.absent(key)).put(key, standing.get().value()));
      return false;
    }
    return removed;
  }

  private static boolean says(KeyValue config, Vlan vlan) {
    try {
      return read(vlan.name(), config).equals(vlan);
    } catch (FlannelFormatException _) {
      return false;
    }
  }

  /** Whether a VLAN of that name stands, whatever its config says. */
  public boolean stands(String name) {
    return etcd.get(keys.config(name)).isPresent();
  }

  /**
   * Takes back a VLAN that this host made a moment ago and could not join, if no host has joined it
   * meanwhile.
   */
  public void discard(Vlan vlan) {
    // What of its making is still under way fails from now on, since it checks this key.
    etcd.txn(Txn.when().put(FlannelKeys.REGISTRY, lastMade(vlan.name())));
    // One that is gone may have gone by an attempt whose answer was lost.
    if (removeUnused(vlan) || !stands(vlan.name())) {
      String network = FlannelKeys.network(vlan.name());
      Optional<KeyValue> announced = etcd.get(network).filter(kv -> says(kv, "announced"));
      Guard gone = Guard.absent(keys.config(vlan.name()));
      announced.ifPresent(kv -> etcd.txn(Txn.when(gone, Guard.unchanged(kv)).delete(network)));
    }
  }

  /**
   * Called each time that etcd answers again, and the first time, also if that is past already;
   * must not wait for it.
   */
  public void whenEtcdIsBack(Runnable listener) {
    etcd.onHealth(health -> {
      if (health.reachable()) {
        listener.run();
      }
    });
    if (etcd.isReachable()) {
      listener.run();
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

  /** Follows the config and all leases of a VLAN. */
  public LeaseWatch watchLeases(Vlan vlan, WatchListener<VlanEntries> listener) {
    return new LeaseWatch(etcd, keys, vlan.name(), listener);
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
   * Writes the lease again for another 24 hours, also if it was gone meanwhile or has another
   * address or VTEP now.
   *
   * <p>A value there that names no host at all is replaced as well: it is damage to this lease.
   *
   * @param ours whether a lease that stands there is this host's
   * @throws VlanException if another host holds the subnet now
   */
  public Renewal renew(Vlan vlan, Lease lease, Predicate<Lease> ours) {
    return leases.rewrite(vlan.name(), lease.key(), lease.attributes(), ours);
  }

  /** As above, where the host is known by its address alone. */
  public Renewal renew(Vlan vlan, Lease lease) {
    return renew(vlan, lease, other -> other.isHeldBy(lease.publicIp()));
  }

  /** As {@link #renew}, with a new public address or VTEP. */
  public Renewal update(Vlan vlan, Lease lease, LeaseAttributes attributes) {
    return renew(
        vlan,
        new Lease(lease.key(), attributes),
        other -> other.isHeldBy(lease.publicIp()) || other.isHeldBy(attributes.publicIp()));
  }

  /**
   * When a lease in etcd is to be renewed, by what is left of it; now if it is gone or in doubt.
   */
  public Instant renewalOf(Vlan vlan, Lease lease) {
    return leases.renewalOf(vlan.name(), lease);
  }

  /**
   * Gives the subnet back; false if it was gone or another host's.
   *
   * @param ours whether a lease that stands there is this host's
   */
  public boolean release(Vlan vlan, Lease lease, Predicate<Lease> ours) {
    return leases.release(vlan.name(), lease, ours);
  }

  /** As above, where the host is known by its address alone. */
  public boolean release(Vlan vlan, Lease lease) {
    return release(vlan, lease, other -> other.isHeldBy(lease.publicIp()));
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
