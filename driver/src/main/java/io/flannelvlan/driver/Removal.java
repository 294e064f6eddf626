package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.shared.SharedNetwork;
import io.flannelvlan.driver.shared.SharedNetworks;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.FlannelKeys;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.Vlans;
import io.flannelvlan.ipam.Addresses;
import io.flannelvlan.ipam.EndpointAnywhere;
import io.flannelvlan.net.IpAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes a VLAN everywhere: writes the word, and each host does its part.
 *
 * @param host this host's public address
 */
record Removal(
    VlanStore store,
    SharedNetworks shared,
    Addresses addresses,
    Supplier<IpAddress> host,
    Supplier<String> generations,
    Clock clock) {

  private static final Logger LOG = LoggerFactory.getLogger(Removal.class);

  /** For the hosts that are there; those that are not, do it when they are back. */
  private static final Duration PATIENCE = Duration.ofSeconds(15);

  private static final Duration BETWEEN_LOOKS = Duration.ofMillis(100);
  private static final int MOST_NAMED = 10;

  /** Removes it; what came of it, for who asked. */
  String remove(String name) {
    Vlan vlan = require(name);
    requireUnused(vlan);
    List<IpAddress> hosts = hosts(vlan);
    IpAddress by = host.get();
    while (!shared.change(name, present -> condemned(name, present, by))
        && !(shared.get(name).orElse(null) instanceof SharedNetwork.Removed)) {
      LOG.debug("VLAN {}: somebody else changed its network", name);
    }
    LOG.warn("VLAN {} is to be removed from all hosts", vlan);
    awaitEnd(vlan);
    List<IpAddress> left = hosts(vlan);
    if (store.find(name).isEmpty()) {
      removeRest(vlan);
      return "VLAN " + vlan + " is removed" + (hosts.isEmpty() ? "" : " from hosts " + list(hosts));
    }
    return "VLAN "
        + vlan
        + " is removed, but still there on hosts "
        + list(left)
        + ": it goes from each when that host is back. One that is there says in its log why it"
        + " keeps it; a lease of stock flanneld goes when that is stopped for a day";
  }

  /** Keys of hosts that died in it and did not remove them. */
  private void removeRest(Vlan vlan) {
    try {
      addresses.abandoned().remove(vlan);
    } catch (EtcdException e) {
      LOG.warn("address keys of VLAN {} may be left in etcd: {}", vlan.name(), e.getMessage());
    }
  }

  private Vlan require(String name) {
    Vlans all = store.list();
    return all.find(name)
        .orElseThrow(() ->
            new Refused(
                "etcd has no VLAN \""
                    + name
                    + "\"; it has "
                    + (all.byName().isEmpty()
                        ? "none"
                        : String.join(", ", all.byName().keySet()))));
  }

  private void requireUnused(Vlan vlan) {
    List<EndpointAnywhere> endpoints = addresses.anywhere().endpoints(vlan);
    if (!endpoints.isEmpty()) {
      throw new Refused(
          "VLAN "
              + vlan
              + " is in use: "
              + endpoints.stream()
                  .limit(MOST_NAMED)
                  .map(EndpointAnywhere::toString)
                  .collect(Collectors.joining(", "))
              + (endpoints.size() > MOST_NAMED
                  ? " and " + (endpoints.size() - MOST_NAMED) + " more"
                  : "")
              + ". Remove or disconnect these containers first");
    }
  }

  /**
   * The word for all hosts; empty if it stands already.
   *
   * @throws Refused if nobody could tell what it is about: hosts would take it for an older word
   */
  private Optional<SharedNetwork> condemned(
      String name, Optional<SharedNetwork> present, IpAddress by) {
    Optional<String> generation =
        switch (present.orElse(null)) {
          case SharedNetwork.Described described -> Optional.of(described.generation());
          case SharedNetwork.Removed removed when !removed.done() -> Optional.empty();
          case SharedNetwork.Removed _ -> Optional.of(generations.get());
          case null -> Optional.of(generations.get());
          case SharedNetwork.Announced _ ->
              throw new Refused(
                  "VLAN " + name + " is being made just now: try again in half a minute");
          case SharedNetwork.Unreadable unreadable ->
              throw new Refused(
                  "VLAN "
                      + name
                      + " can't be removed: "
                      + FlannelKeys.network(name)
                      + " in etcd can't be read ("
                      + unreadable.reason()
                      + "). Delete that key, its hosts write it anew, and try again");
        };
    return generation.map(
        g -> new SharedNetwork.Removed(g, /* done= */ false, by.toString(), clock.instant()));
  }

  private void awaitEnd(Vlan vlan) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    try {
      while (store.find(vlan.name()).isPresent() && System.nanoTime() < end) {
        TimeUnit.NANOSECONDS.sleep(BETWEEN_LOOKS.toNanos());
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private List<IpAddress> hosts(Vlan vlan) {
    Stream<Lease> leases = store.leases(vlan).bySubnet().values().stream();
    return leases.map(Lease::publicIp).distinct().sorted().toList();
  }

  private static String list(List<IpAddress> hosts) {
    return hosts.stream().map(IpAddress::toString).collect(Collectors.joining(", "));
  }
}
