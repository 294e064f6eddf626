package io.flannelvlan.flannel;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;

/** A host's claim on one subnet of a VLAN. */
public record Lease(SubnetKey key, LeaseAttributes attributes) {

  /** A claim on an IPv4 subnet alone, as all of ours are. */
  public Lease(Cidr subnet, LeaseAttributes attributes) {
    this(SubnetKey.of(subnet), attributes);
  }

  public Cidr subnet() {
    return key.subnet();
  }

  public IpAddress publicIp() {
    return attributes.publicIp();
  }

  public boolean isHeldBy(IpAddress host) {
    return attributes.publicIp().equals(host);
  }
}
