package io.flannelvlan.ipam;

import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.flannel.host.StandingLeases;
import io.flannelvlan.ipam.AddressKeys.Holder;
import io.flannelvlan.net.IpAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Address keys that lie in nobody's lease: that of a host that died for good ends after a day, the
 * keys of its addresses do not. Should the host return after all, it writes them anew.
 */
public final class AbandonedAddresses {

  private static final Logger LOG = LoggerFactory.getLogger(AbandonedAddresses.class);

  /** A lease that was deleted by hand is put back sooner by a host that lives. */
  static final Duration GRACE = Duration.ofMinutes(1);

  private final HostVlans vlans;
  private final AddressKeys keys;
  private final InstantSource clock;

  /** By VLAN, since when an address lies in nobody's lease. */
  private final Map<String, Map<IpAddress, Instant>> suspects = new HashMap<>();

  AbandonedAddresses(HostVlans vlans, AddressKeys keys, InstantSource clock) {
    this.vlans = vlans;
    this.keys = keys;
    this.clock = clock;
  }

  /**
   * Removes what is left of a VLAN that was removed.
   *
   * @throws EtcdException if etcd does not answer
   */
  public void remove(Vlan vlan) {
    abandoned(vlan, keys.list(vlan.name()), _ -> true)
        .forEach((address, host) -> remove(vlan, address, host));
  }

  /**
   * Removes keys that have lain in nobody's lease for {@link #GRACE}. For one thread.
   *
   * @param listed other hosts'; what is removed goes from it
   */
  void remove(HostVlan vlan, Map<IpAddress, Holder> listed) {
    // What was shown may be older than the keys, but spares the question as a rule.
    Map<IpAddress, IpAddress> now =
        abandoned(
            vlan.vlan(),
            listed,
            address ->
                vlans
                    .leases(vlan.name())
                    .filter(shown -> shown.around(address).isEmpty())
                    .isPresent());
    Map<IpAddress, Instant> since = suspects.computeIfAbsent(vlan.name(), _ -> new HashMap<>());
    since.keySet().retainAll(now.keySet());
    Instant time = clock.instant();
    now.forEach((address, host) -> {
      Instant first = since.computeIfAbsent(address, _ -> time);
      if (!time.isBefore(first.plus(GRACE))) {
        remove(vlan.vlan(), address, host);
        listed.remove(address);
      }
    });
  }

  /** Those in no lease, and which host left them. */
  private Map<IpAddress, IpAddress> abandoned(
      Vlan vlan, Map<IpAddress, Holder> listed, Predicate<IpAddress> maybe) {
    Map<IpAddress, IpAddress> hosts = new TreeMap<>();
    listed.forEach((address, holder) ->
        holder
            .address()
            .filter(_ -> maybe.test(address))
            .ifPresent(host -> hosts.put(address, host)));
    Optional<StandingLeases> standing = hosts.isEmpty() ? Optional.empty() : vlans.standing(vlan);
    hosts.keySet().removeIf(address -> standing.map(all -> all.hold(address)).orElse(true));
    return hosts;
  }

  private void remove(Vlan vlan, IpAddress address, IpAddress host) {
    keys.remove(vlan.name(), host, address);
    LOG.info(
        "{} of VLAN {} was left by host {}, which has no lease of it any more: removed",
        address,
        vlan.name(),
        host);
  }
}
