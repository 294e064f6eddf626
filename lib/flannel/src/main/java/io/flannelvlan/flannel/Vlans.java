package io.flannelvlan.flannel;

import io.flannelvlan.etcd.KeyValue;
import io.flannelvlan.etcd.Snapshot;
import io.flannelvlan.net.Vni;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * All VLANs at one revision.
 *
 * @param broken the configs that cannot be used; of a VLAN that was fine before, {@code byName}
 *     still has the last good one
 */
public record Vlans(long revision, SortedMap<String, Vlan> byName, List<BrokenEntry> broken) {

  static final Vlans NONE = new Vlans(0, new TreeMap<>(), List.of());

  public Vlans {
    byName = Collections.unmodifiableSortedMap(new TreeMap<>(byName));
    broken = List.copyOf(broken);
  }

  /** Reads what lies below the prefix; nested prefixes are other clusters' business. */
  static Vlans read(FlannelKeys keys, Snapshot snapshot, Vlans before) {
    SortedMap<String, Vlan> byName = new TreeMap<>();
    List<BrokenEntry> broken = new ArrayList<>();
    for (KeyValue kv : snapshot.entries().values()) {
      Optional<String> owner = keys.configOwner(kv.key());
      if (owner.isEmpty()) {
        continue;
      }
      try {
        String name = Vlan.requireName(owner.get());
        Vlan last = before.byName.get(name);
        if (last != null) {
          byName.put(name, last);
        }
        byName.put(name, new Vlan(name, FlannelJson.readConfig(kv.key(), kv.value())));
      } catch (FlannelFormatException e) {
        broken.add(
            new BrokenEntry(
                kv.key(), FlannelJson.rangeOf(kv.value()), String.valueOf(e.getMessage())));
      } catch (IllegalArgumentException e) {
        broken.add(
            new BrokenEntry(
                kv.key(), FlannelJson.rangeOf(kv.value()), kv.key() + ": " + e.getMessage()));
      }
    }
    return new Vlans(snapshot.revision(), byName, broken);
  }

  public Optional<Vlan> find(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  public Optional<Vlan> find(Vni vni) {
    return byName.values().stream().filter(vlan -> vlan.vni().equals(vni)).findFirst();
  }

  /** The lowest number that no VLAN has. */
  public Vni freeVni() {
    Set<Vni> used = byName.values().stream().map(Vlan::vni).collect(Collectors.toSet());
    for (int number = 1; number <= Vni.MAX; number++) {
      Vni vni = new Vni(number);
      if (!used.contains(vni)) {
        return vni;
      }
    }
    throw new VlanException(VlanException.Kind.FULL, "all VNIs are in use");
  }

  /**
   * Checks that {@code wish} can stand beside all others.
   *
   * @throws VlanException naming the VLAN that is in the way
   */
  public void requireRoomFor(Vlan wish) {
    for (Vlan other : byName.values()) {
      if (other.name().equals(wish.name())) {
        continue;
      }
      if (other.vni().equals(wish.vni())) {
        throw conflict(wish, "VNI " + wish.vni() + " belongs to " + other);
      }
      if (other.range().overlaps(wish.range())) {
        throw conflict(wish, wish.range() + " overlaps " + other);
      }
    }
    for (BrokenEntry entry : broken) {
      if (entry.claim().isPresent() && entry.claim().get().overlaps(wish.range())) {
        throw conflict(
            wish,
            wish.range()
                + " overlaps "
                + entry.claim().get()
                + " of an unusable config, "
                + entry.reason());
      }
    }
  }

  private static VlanException conflict(Vlan wish, String reason) {
    return new VlanException(
        VlanException.Kind.CONFLICT, "VLAN " + wish.name() + " cannot be made: " + reason);
  }
}
