package io.flannelvlan.ipam;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.flannel.SubnetLayout;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.Vlans;
import io.flannelvlan.net.Cidr;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Which VLAN a RequestPool means, from the CIDR and the name that it gives; etcd knows the others.
 *
 * @param network its name, if it has one already
 * @param layout how its range is cut into subnets
 */
record PoolChoice(Optional<String> network, SubnetLayout layout) {

  /**
   * Where pools without a CIDR come from: 10.1.0.0/16, 10.2.0.0/16, … The first /16 is left out,
   * because 10.0.0.0/24 and its neighbours are what most small office networks have.
   */
  private static final Cidr DEFAULT_RANGE = Cidr.parse("10.0.0.0/8");

  private static final Cidr FIRST_DEFAULT = Cidr.parse("10.1.0.0/16");

  /**
   * Decides.
   *
   * @param isFree whether this host could have the range, for a choice of our own
   * @throws Refused if the two contradict each other, or another VLAN is in the way
   */
  static PoolChoice of(
      Optional<Cidr> pool, Optional<String> network, Vlans vlans, Predicate<Cidr> isFree) {
    network.ifPresent(PoolChoice::requireName);
    Optional<Vlan> named = network.flatMap(vlans::find);
    if (named.isPresent()) {
      return existing(named.get(), pool);
    }
    if (pool.isPresent()) {
      return given(pool.get(), network, vlans);
    }
    Cidr free = free(vlans, isFree);
    if (network.isPresent()) {
      throw new Refused(
          "VLAN "
              + network.get()
              + " is not in etcd yet: give --subnet to make it, for example"
              + " --subnet "
              + free);
    }
    return new PoolChoice(network, SubnetLayout.of(free));
  }

  private static PoolChoice existing(Vlan vlan, Optional<Cidr> pool) {
    if (pool.isPresent() && !pool.get().equals(vlan.range())) {
      throw new Refused(
          "VLAN "
              + vlan.name()
              + " has "
              + vlan.range()
              + ", not "
              + pool.get()
              + ": give --subnet "
              + vlan.range()
              + " or another --ipam-opt network=");
    }
    return new PoolChoice(Optional.of(vlan.name()), vlan.config().layout());
  }

  private static PoolChoice given(Cidr pool, Optional<String> network, Vlans vlans) {
    for (Vlan vlan : vlans.byName().values()) {
      if (vlan.range().equals(pool)) {
        if (network.isPresent()) {
          throw new Refused(
              pool + " is VLAN " + vlan.name() + "'s, so it can't be " + network.get() + "'s");
        }
        return existing(vlan, Optional.of(pool));
      }
      if (vlan.range().overlaps(pool)) {
        throw new Refused(pool + " overlaps VLAN " + vlan + ": choose another --subnet");
      }
    }
    try {
      return new PoolChoice(network, SubnetLayout.of(pool));
    } catch (IllegalArgumentException e) {
      throw new Refused("--subnet " + pool + ": " + e.getMessage());
    }
  }

  /** The lowest /16 of the default range that nothing in etcd or on this host has. */
  private static Cidr free(Vlans vlans, Predicate<Cidr> isFree) {
    for (Cidr range = FIRST_DEFAULT; DEFAULT_RANGE.contains(range); range = range.next()) {
      Cidr candidate = range;
      if (vlans.byName().values().stream().noneMatch(vlan -> vlan.range().overlaps(candidate))
          && isFree.test(candidate)) {
        return candidate;
      }
    }
    throw new Refused("no /16 of " + DEFAULT_RANGE + " is free: give --subnet");
  }

  private static void requireName(String name) {
    try {
      Vlan.requireName(name);
    } catch (IllegalArgumentException e) {
      throw new Refused("option network: " + e.getMessage());
    }
  }
}
