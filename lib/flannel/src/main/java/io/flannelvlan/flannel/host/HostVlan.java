package io.flannelvlan.flannel.host;

import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.LeaseAttributes;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.util.ArrayList;
import java.util.List;

/**
 * A VLAN that this host takes part in; the journal's record.
 *
 * @param subnets this host's leases in the order they were taken; the first one's gateway is the
 *     one that dockerd knows
 * @param vtepMac MAC of this host's vxlan link, the same for as long as the VLAN is here
 * @param publicAddress where the peers send to
 */
public record HostVlan(
    String name,
    NetworkConfig config,
    List<Cidr> subnets,
    MacAddress vtepMac,
    IpAddress publicAddress) {

  public HostVlan {
    subnets = List.copyOf(subnets);
  }

  public Cidr range() {
    return config.range();
  }

  public Vni vni() {
    return config.backend().vni();
  }

  public Vlan vlan() {
    return new Vlan(name, config);
  }

  LeaseAttributes attributes() {
    return LeaseAttributes.vxlan(publicAddress, vni(), vtepMac);
  }

  /** This host's leases, as they shall stand in etcd. */
  List<Lease> leases() {
    return subnets.stream().map(subnet -> new Lease(subnet, attributes())).toList();
  }

  HostVlan with(Cidr subnet) {
    List<Cidr> more = new ArrayList<>(subnets);
    more.add(subnet);
    return new HostVlan(name, config, more, vtepMac, publicAddress);
  }
}
