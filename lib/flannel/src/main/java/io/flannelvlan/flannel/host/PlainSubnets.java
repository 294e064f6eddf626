package io.flannelvlan.flannel.host;

import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.Leases;
import io.flannelvlan.flannel.VlanException;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.Wish;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.journal.Table;
import io.flannelvlan.net.Cidr;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiPredicate;
import java.util.function.Function;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One subnet of each VLAN for the links of this host that are not ours: a plain dockerd's bridge,
 * or that of another CNI plugin. It has a lease of its own, so that two allocators never share one.
 *
 * <p>A free subnet is only named until a link carries its gateway, since a small VLAN has no subnet
 * to spare for each host that might want one. Works under the lock of {@link HostVlans}.
 */
public final class PlainSubnets {

  private static final Logger LOG = LoggerFactory.getLogger(PlainSubnets.class);

  private final VlanStore store;
  private final Journal journal;
  private final Table<HostVlan> vlans;
  private final ReentrantLock joining;
  private final Function<String, Optional<Leases>> shown;
  private final Runnable changed;
  private final Set<String> without = new HashSet<>();
  private BiPredicate<String, Cidr> used = (_, _) -> false;

  PlainSubnets(
      VlanStore store,
      Journal journal,
      Table<HostVlan> vlans,
      ReentrantLock joining,
      Function<String, Optional<Leases>> shown,
      Runnable changed) {
    this.store = store;
    this.journal = journal;
    this.vlans = vlans;
    this.joining = joining;
    this.shown = shown;
    this.changed = changed;
  }

  /**
   * Before the start: tells whether somebody else uses this subnet of the VLAN on this host, or was
   * told to, whatever the journal knows.
   */
  public void usedAs(BiPredicate<String, Cidr> used) {
    this.used = used;
  }

  public boolean isUsed(String vlan, Cidr subnet) {
    return used.test(vlan, subnet);
  }

  /** With a lease that this host has by etcd's word: ours, or of those who use it. */
  HostVlan with(HostVlan vlan, Cidr subnet) {
    return isUsed(vlan.name(), subnet)
        ? vlan.withPlain(Optional.of(new PlainSubnet(subnet, true)))
        : vlan.with(subnet);
  }

  /** A wish for one more subnet of our own. */
  Wish sparing(HostVlan vlan) {
    return vlan.plain().map(PlainSubnet::subnet).map(Wish::sparing).orElseGet(Wish::any);
  }

  /**
   * A VLAN that is being joined, with a subnet that is named.
   *
   * @param before what was set aside when this host left
   */
  HostVlan named(HostVlan vlan, Leases leases, Optional<Cidr> before) {
    return vlan.plain().isPresent() ? vlan : vlan.withPlain(free(vlan, leases, before));
  }

  /**
   * Sees to it that the VLAN has such a subnet, and the lease of it if a link carries its gateway.
   * As long as etcd has not shown the leases, nothing changes.
   *
   * @param carried whether a link that is not ours carries the gateway of this subnet
   * @throws EtcdException if etcd does not answer
   */
  public void settle(String name, Predicate<Cidr> carried) {
    boolean settled;
    joining.lock();
    try {
      Optional<HostVlan> vlan = vlans.get(name);
      Optional<Leases> leases = shown.apply(name);
      settled = vlan.isEmpty() || leases.isEmpty() || isSettled(vlan.get(), leases.get(), carried);
    } finally {
      joining.unlock();
    }
    if (!settled) {
      changed.run();
    }
  }

  /** False if something had to be changed. */
  private boolean isSettled(HostVlan vlan, Leases leases, Predicate<Cidr> carried) {
    if (vlan.plain().isEmpty()) {
      return !name(vlan, leases);
    }
    PlainSubnet plain = vlan.plain().get();
    Optional<Lease> rival = vlan.rival(leases, plain.subnet());
    if (rival.isPresent()) {
      replace(vlan, leases, "host " + rival.get().publicIp() + " has it", carried);
      return false;
    }
    if (plain.leased() || !carried.test(plain.subnet())) {
      return true;
    }
    try {
      store.acquire(vlan.vlan(), vlan.attributes(), Wish.exactly(plain.subnet()));
    } catch (VlanException e) {
      // What the watch has not shown yet, this does.
      replace(vlan, store.leases(vlan.vlan()), String.valueOf(e.getMessage()), carried);
      return false;
    }
    put(vlan.withPlain(Optional.of(new PlainSubnet(plain.subnet(), true))));
    LOG.info("VLAN {}: took {} for a link that is not flannelvlan's", vlan.name(), plain.subnet());
    return false;
  }

  /** Names a subnet, if there is one. */
  private boolean name(HostVlan vlan, Leases leases) {
    Optional<PlainSubnet> free = free(vlan, leases, Optional.empty());
    if (free.isEmpty()) {
      if (without.add(vlan.name())) {
        LOG.info(
            "VLAN {} has no free subnet for a plain dockerd on this host, so no file tells of one",
            vlan.name());
      }
      return false;
    }
    without.remove(vlan.name());
    put(vlan.withPlain(free));
    return true;
  }

  private void replace(HostVlan vlan, Leases leases, String reason, Predicate<Cidr> carried) {
    Cidr lost = vlan.plain().orElseThrow().subnet();
    HostVlan other = vlan.withPlain(Optional.empty());
    other = other.withPlain(free(other, leases, Optional.empty()).filter(p -> !is(p, lost)));
    put(other);
    if (carried.test(lost)) {
      LOG.error(
          "VLAN {}: a link of this host that is not flannelvlan's carries {}, and other hosts can't"
              + " reach it: {}. Restart what made it (dockerd --bip) with the subnet that the VLAN's"
              + " file names now: {}",
          vlan.name(),
          lost.at(1),
          reason,
          other.plain().map(p -> p.subnet().at(1).toString()).orElse("none is free"));
    } else {
      LOG.info("VLAN {}: no plain dockerd can have {}: {}", vlan.name(), lost, reason);
    }
  }

  private static boolean is(PlainSubnet plain, Cidr subnet) {
    return plain.subnet().equals(subnet);
  }

  private Optional<PlainSubnet> free(HostVlan vlan, Leases leases, Optional<Cidr> before) {
    Set<Cidr> taken = new HashSet<>(leases.holders().keySet());
    taken.addAll(vlan.subnets());
    Predicate<Cidr> isFree = subnet -> taken.stream().noneMatch(subnet::overlaps);
    return before
        .filter(vlan.config().layout()::allows)
        .filter(isFree)
        .or(() -> PlainChoice.of(vlan.config().layout(), vlan.publicAddress(), isFree))
        .map(subnet -> new PlainSubnet(subnet, /* leased= */ false));
  }

  private void put(HostVlan vlan) {
    journal.commit(new Batch().put(vlans, vlan.name(), vlan));
  }
}
