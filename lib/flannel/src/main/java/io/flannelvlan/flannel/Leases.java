package io.flannelvlan.flannel;

import io.flannelvlan.etcd.KeyValue;
import io.flannelvlan.etcd.Snapshot;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * All leases of a VLAN at one revision.
 *
 * @param bySubnet in the order of subnets
 * @param broken the keys that cannot be read; of one that was fine before, {@code bySubnet} still
 *     has the last good lease
 * @param grants the id of the grant that each key is bound to: another one with each renewal
 */
public record Leases(
    long revision,
    SortedMap<SubnetKey, Lease> bySubnet,
    List<BrokenEntry> broken,
    Map<SubnetKey, Long> grants) {

  static final Leases NONE = new Leases(0, new TreeMap<>(), List.of());

  public Leases {
    bySubnet = Collections.unmodifiableSortedMap(new TreeMap<>(bySubnet));
    broken = List.copyOf(broken);
    grants = Map.copyOf(grants);
  }

  /** Whose grants nobody asks for. */
  public Leases(long revision, SortedMap<SubnetKey, Lease> bySubnet, List<BrokenEntry> broken) {
    this(revision, bySubnet, broken, Map.of());
  }

  static Leases read(Snapshot snapshot, Leases before) {
    SortedMap<SubnetKey, Lease> bySubnet = new TreeMap<>();
    List<BrokenEntry> broken = new ArrayList<>();
    Map<SubnetKey, Long> grants = new HashMap<>();
    for (KeyValue kv : snapshot.entries().values()) {
      SubnetKey key;
      try {
        key = SubnetKey.parse(kv.key());
      } catch (IllegalArgumentException e) {
        broken.add(new BrokenEntry(kv.key(), Optional.empty(), kv.key() + ": " + e.getMessage()));
        continue;
      }
      if (!kv.key().equals(snapshot.prefix() + "/" + key)) {
        // flannel would take it for a lease; nobody writes one there, so it only blocks its subnet.
        broken.add(
            new BrokenEntry(
                kv.key(),
                Optional.of(key.subnet()),
                kv.key()
                    + ": not the place of a lease, which is "
                    + snapshot.prefix()
                    + "/"
                    + key));
        continue;
      }
      try {
        bySubnet.put(key, new Lease(key, FlannelJson.readLease(kv.key(), kv.value())));
        grants.put(key, kv.grant());
      } catch (FlannelFormatException e) {
        Lease last = before.bySubnet.get(key);
        if (last != null) {
          bySubnet.put(key, last);
        }
        broken.add(
            new BrokenEntry(kv.key(), Optional.of(key.subnet()), String.valueOf(e.getMessage())));
      }
    }
    return new Leases(snapshot.revision(), bySubnet, broken, grants);
  }

  /** The leases of one host, in the order of their subnets. */
  public List<Lease> of(IpAddress host) {
    return bySubnet.values().stream().filter(lease -> lease.isHeldBy(host)).toList();
  }

  /** The lease in whose subnet the address lies. */
  public Optional<Lease> around(IpAddress address) {
    return bySubnet.values().stream().filter(lease -> lease.subnet().contains(address)).findFirst();
  }

  public Optional<Lease> at(Cidr subnet) {
    return bySubnet.values().stream().filter(lease -> lease.subnet().equals(subnet)).findFirst();
  }

  /** Whether the lease stands in etcd as it is now, not only as it was when last readable. */
  public boolean holds(Lease lease) {
    String place = "/subnets/" + lease.key();
    return lease.equals(bySubnet.get(lease.key()))
        && broken.stream().noneMatch(entry -> entry.key().endsWith(place));
  }

  /** Every subnet that is not free, and who has it, in words. */
  public Map<Cidr, String> holders() {
    Map<Cidr, String> holders = new TreeMap<>();
    for (BrokenEntry entry : broken) {
      entry
          .claim()
          .ifPresent(subnet -> holders.put(subnet, "an unreadable key, " + entry.reason()));
    }
    for (Lease lease : bySubnet.values()) {
      holders.put(lease.subnet(), "host " + lease.publicIp());
    }
    return holders;
  }
}
