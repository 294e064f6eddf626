package io.flannelvlan.ipam;

import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.flannel.host.StandingLeases;
import io.flannelvlan.ipam.AddressKeys.Holder;
import io.flannelvlan.net.IpAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The addresses of all hosts, by etcd's word, without what is true no more ({@link
 * AbandonedAddresses}).
 *
 * <p>Keys are read before leases, so that each key of a host that is there has its lease among
 * those: a host takes that first.
 */
public final class AddressesAnywhere {

  private final HostVlans vlans;
  private final AddressKeys keys;

  AddressesAnywhere(HostVlans vlans, AddressKeys keys) {
    this.vlans = vlans;
    this.keys = keys;
  }

  /**
   * How many addresses of the VLAN each host holds, by what etcd names the host.
   *
   * @throws EtcdException if etcd does not answer
   */
  Map<String, Long> countByHost(Vlan vlan) {
    return held(vlan).values().stream()
        .collect(Collectors.groupingBy(Holder::host, TreeMap::new, Collectors.counting()));
  }

  /**
   * The endpoints of a VLAN, by their addresses.
   *
   * @throws EtcdException if etcd does not answer
   */
  public List<EndpointAnywhere> endpoints(Vlan vlan) {
    return held(vlan).entrySet().stream()
        .flatMap(entry ->
            Optional.ofNullable(entry.getValue().endpoint())
                .map(id -> new EndpointAnywhere(entry.getKey(), entry.getValue().host(), id))
                .stream())
        .toList();
  }

  /** Without what lies in no lease of its host; all of it if etcd may lack leases. */
  private Map<IpAddress, Holder> held(Vlan vlan) {
    Map<IpAddress, Holder> listed = keys.list(vlan.name());
    vlans
        .standing(vlan)
        .ifPresent(leases ->
            listed.entrySet().removeIf(key -> isGone(key.getKey(), key.getValue(), leases)));
    return listed;
  }

  /** A key that names no host is nobody's we know. */
  private static boolean isGone(IpAddress address, Holder holder, StandingLeases leases) {
    return holder.address().filter(host -> !leases.hold(address, host)).isPresent();
  }
}
