package io.flannelvlan.ipam;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.journal.JournalException;
import io.flannelvlan.journal.Table;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The addresses of this host's leases: who has which.
 *
 * <p>An address is picked in memory, claimed in etcd by create-if-absent, written to the journal,
 * and only then answered. While etcd is away the journal alone decides, which is safe because only
 * the holder of a lease allocates in it; {@link AddressMirror} tells etcd later.
 *
 * <p>{@link #releasing} is held over the journal's write.
 */
public final class Addresses implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Addresses.class);

  private final HostVlans vlans;
  private final AddressKeys keys;
  private final AddressesAnywhere anywhere;
  private final AbandonedAddresses abandoned;
  private final Journal journal;
  private final Table<AllocatedAddress> table;
  private final AddressMirror mirror;
  private final Thread repair = Thread.ofVirtual().name("address-repair").unstarted(this::repair);
  private final InstantSource clock;

  /** One release at a time, so that a repeated one can't give back what was given out since. */
  private final ReentrantLock releasing = new ReentrantLock();

  private final AddressSets sets = new AddressSets();

  /**
   * Given back before the lost journal's addresses were had back: a dockerd that boots gives back
   * all of before, and does so once.
   */
  private final Set<IpAddress> releasedUnknown = ConcurrentHashMap.newKeySet();

  /** While the journal may lack addresses that are in use, none is given out. */
  private volatile boolean repairing;

  public Addresses(HostVlans vlans, Etcd etcd, Journal journal, InstantSource clock) {
    this.vlans = vlans;
    this.keys = new AddressKeys(etcd);
    this.anywhere = new AddressesAnywhere(vlans, keys);
    this.abandoned = new AbandonedAddresses(vlans, keys, clock);
    this.journal = journal;
    this.table = journal.table("address", AllocatedAddress.class);
    this.mirror = new AddressMirror(vlans, keys, abandoned, table, sets);
    this.clock = clock;
    vlans.clearFirst(keys::clear);
    this.repairing = journal.isDamaged();
    for (AllocatedAddress address : table.values()) {
      sets.take(address.address().subnet(), address.address().address());
    }
  }

  /** How often etcd's keys are compared with the journal whatever happens; before the start. */
  public void compareEvery(Duration time) {
    mirror.compareEvery(time);
  }

  public void start() {
    if (repairing) {
      repair.start();
    } else {
      mirror.start();
    }
  }

  /** A damaged journal lacks addresses; etcd has them all, and the mirror must not remove them. */
  private void repair() {
    try {
      for (HostVlan vlan : vlans.all()) {
        while (!adopted(vlan)) {
          TimeUnit.SECONDS.sleep(1);
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return;
    }
    repairing = false;
    try {
      journal.repaired();
    } catch (JournalException e) {
      // Then the next start asks once more.
      LOG.error("{}", e.getMessage());
    }
    mirror.start();
  }

  private boolean adopted(HostVlan vlan) {
    try {
      Batch batch = new Batch();
      adopt(batch, vlan);
      journal.commit(batch);
      return true;
    } catch (EtcdException | JournalException e) {
      LOG.debug("the addresses of {} are not had back yet: {}", vlan.name(), e.getMessage());
      return false;
    }
  }

  /**
   * Adds to the batch what this host gave out in the VLAN by etcd's word, and the journal does not
   * know: it was lost, with containers that run on. What dockerd gave back since is left to the
   * mirror, which removes it. None of them is given out from now on, whatever becomes of the batch.
   *
   * @throws EtcdException if etcd does not answer
   */
  public void adopt(Batch batch, HostVlan vlan) {
    for (AllocatedAddress address : keys.heldBy(vlan)) {
      IpAddress ip = address.address().address();
      if (get(ip).isEmpty() && !mirror.isBehindWith(ip) && !releasedUnknown.contains(ip)) {
        sets.take(address.address().subnet(), ip);
        batch.put(table, address.key(), address);
        LOG.warn("{} of VLAN {} is taken over from etcd", address.address(), vlan.name());
      }
    }
  }

  private void requireRepaired() {
    if (repairing) {
      throw new Refused(
          "the journal of this host was damaged, and etcd has not told yet which addresses are in"
              + " use: no address is given out before that; see that etcd can be reached");
    }
  }

  /** All that are given out, in no order. */
  public Collection<AllocatedAddress> all() {
    return table.values();
  }

  public Optional<AllocatedAddress> get(IpAddress address) {
    return table.get(address.toString());
  }

  /**
   * The next free address of these subnets. One that another host claims is passed over: containers
   * of both hosts would have the same addresses.
   *
   * @param within the part of them that may be used
   * @return empty if all are taken
   */
  Optional<InterfaceAddress> next(Cidr range, List<Cidr> subnets, Cidr within) {
    requireRepaired();
    for (Cidr subnet : subnets) {
      if (rival(range, subnet).isPresent()) {
        continue;
      }
      Optional<IpAddress> picked = sets.next(subnet, within);
      while (picked.isPresent()) {
        InterfaceAddress address = new InterfaceAddress(picked.get(), subnet.length());
        Optional<AddressKeys.Holder> holder = keep(range, address);
        if (holder.isEmpty()) {
          return Optional.of(address);
        }
        // Stays taken here, so that the loop ends.
        LOG.warn(
            "{} is passed over: etcd says that host {} holds it", address, holder.get().host());
        sets.passOver(address.address());
        mirror.sweep(range);
        picked = sets.next(subnet, within);
      }
    }
    return Optional.empty();
  }

  /**
   * Takes this very address.
   *
   * @throws Refused if it is taken, or is one that is never given out, or lies in a subnet that
   *     another host claims; the text says by whom
   */
  public InterfaceAddress take(Cidr range, Cidr subnet, IpAddress wanted) {
    requireRepaired();
    Optional<IpAddress> rival = rival(range, subnet);
    if (rival.isPresent()) {
      throw new Refused(
          wanted
              + " can't be given out now: etcd says that host "
              + rival.get()
              + " has its subnet "
              + subnet
              + ", which this host has too. Remove this host's containers from it, or the lease of"
              + " that host");
    }
    if (!sets.take(subnet, wanted)) {
      throw new Refused(sets.holds(subnet, wanted) ? inUse(wanted) : neverGiven(wanted, subnet));
    }
    InterfaceAddress address = new InterfaceAddress(wanted, subnet.length());
    Optional<AddressKeys.Holder> holder = keep(range, address);
    if (holder.isPresent()) {
      sets.free(subnet, wanted);
      throw new Refused(
          wanted + " is held by host " + holder.get().host() + " since " + holder.get().since());
    }
    return address;
  }

  private String inUse(IpAddress wanted) {
    return get(wanted)
        .map(held ->
            wanted
                + " is in use since "
                + held.since()
                + held.endpoint().map(id -> " by endpoint " + id).orElse(""))
        .orElse(wanted + " is in use");
  }

  private static String neverGiven(IpAddress wanted, Cidr subnet) {
    return wanted
        + " can't be a container's: "
        + subnet.base()
        + " is the tunnel's, "
        + subnet.base().plus(1)
        + " the gateway, "
        + subnet.last()
        + " the broadcast address of this host's subnet "
        + subnet;
  }

  /** Claims in etcd, then journals; the holder if etcd knows one, and then nothing is kept. */
  private Optional<AddressKeys.Holder> keep(Cidr range, InterfaceAddress address) {
    AllocatedAddress allocated =
        new AllocatedAddress(range, address, Optional.empty(), Optional.empty(), clock.instant());
    boolean claimed = false;
    Optional<HostVlan> vlan = vlans.byRange(range);
    if (vlan.isPresent() && keys.reachable()) {
      try {
        Optional<AddressKeys.Holder> holder =
            keys.claim(vlan.get().name(), vlan.get().publicAddress(), allocated);
        if (holder.isPresent() && holder.get().address().filter(vlan.get()::isAt).isEmpty()) {
          return holder;
        }
        // A key of this very host is one that the mirror has not removed yet; it writes it anew.
        claimed = holder.isEmpty();
      } catch (EtcdException e) {
        LOG.debug("{} is given out while etcd is away: {}", address, e.getMessage());
      }
    }
    try {
      journal.commit(new Batch().put(table, allocated.key(), allocated));
      releasedUnknown.remove(address.address());
    } catch (JournalException e) {
      sets.free(address.subnet(), address.address());
      mirror.touch(address.address(), range);
      throw e;
    }
    if (!claimed) {
      mirror.touch(address.address(), range);
    }
    return Optional.empty();
  }

  /** Adds to the batch who has the address; {@link #published} once it is committed. */
  public void confirm(Batch batch, IpAddress address, String endpoint, MacAddress mac) {
    get(address).ifPresent(a -> batch.put(table, a.key(), a.confirmed(endpoint, mac)));
  }

  /** Adds to the batch that the endpoint is gone; the address waits for its release. */
  public void unconfirm(Batch batch, IpAddress address, String endpoint) {
    get(address)
        .filter(a -> a.endpoint().equals(Optional.of(endpoint)))
        .ifPresent(a -> batch.put(table, a.key(), a.unconfirmed()));
  }

  /** The endpoint is gone, which only its address knows of. */
  public void unconfirm(String endpoint) {
    for (AllocatedAddress held : table.values()) {
      if (held.endpoint().equals(Optional.of(endpoint))) {
        journal.commit(new Batch().put(table, held.key(), held.unconfirmed()).givingBack());
        published(held.address().address());
      }
    }
  }

  /** Tells etcd, in the background, what a commit changed about the address. */
  public void published(IpAddress address) {
    get(address).ifPresent(a -> mirror.touch(address, a.range()));
  }

  /** Gives the address back; an unknown one is not an error. */
  public void release(IpAddress address) {
    get(address).ifPresent(this::release);
  }

  /**
   * As dockerd gives it back: once its endpoint is gone. A release that comes late, after the
   * address went to another endpoint, must not take it from that one.
   */
  void releaseUnconfirmed(IpAddress address) {
    Optional<AllocatedAddress> held = get(address);
    Optional<String> endpoint = held.flatMap(AllocatedAddress::endpoint);
    if (held.isEmpty()) {
      releasedUnknown.add(address);
    } else if (endpoint.isPresent()) {
      LOG.warn("{} stays: endpoint {} has it, and was not deleted", address, endpoint.get());
    } else {
      held.ifPresent(this::release);
    }
  }

  /** Gives the address back if it is still held in this very way. */
  public void release(AllocatedAddress held) {
    IpAddress address = held.address().address();
    releasing.lock();
    try {
      if (!get(address).equals(Optional.of(held))) {
        return;
      }
      journal.commit(new Batch().remove(table, held.key()).givingBack());
      sets.free(held.address().subnet(), address);
    } finally {
      releasing.unlock();
    }
    mirror.touch(address, held.range());
  }

  /** Compares with etcd, from now on, all addresses of a VLAN that was joined just now. */
  public void publishAll(Cidr range) {
    mirror.follow(range);
  }

  /** Gives back every address of the VLAN. */
  public void releaseAll(Cidr range) {
    mirror.unfollow(range);
    table.values().stream()
        .filter(held -> held.range().equals(range))
        .forEach(held -> release(held.address().address()));
  }

  /** How many of the subnet's addresses are taken, and how many it has. */
  String usage(Cidr subnet) {
    return sets.usage(subnet);
  }

  /** The same in words, and who else claims the subnet. */
  String state(Cidr range, Cidr subnet) {
    return usage(subnet)
        + " in "
        + subnet
        + rival(range, subnet).map(host -> ", which host " + host + " claims in etcd").orElse("");
  }

  private Optional<IpAddress> rival(Cidr range, Cidr subnet) {
    return vlans.byRange(range).flatMap(vlan -> vlans.rivalOf(vlan, subnet)).map(Lease::publicIp);
  }

  /** Those of all hosts. */
  public AddressesAnywhere anywhere() {
    return anywhere;
  }

  /** Those that a host left for good. */
  public AbandonedAddresses abandoned() {
    return abandoned;
  }

  @Override
  public void close() {
    repair.interrupt();
    mirror.close();
  }
}
