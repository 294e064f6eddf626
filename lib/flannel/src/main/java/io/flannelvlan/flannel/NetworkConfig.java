package io.flannelvlan.flannel;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.Vni;

/**
 * What flannel keeps under {@code <prefix>/config}; two that mean the same are equal, however they
 * are spelled.
 */
public record NetworkConfig(SubnetLayout layout, Vxlan backend) {

  /** A VLAN with flannel's defaults for everything but its range and number. */
  public static NetworkConfig of(Cidr range, Vni vni) {
    return new NetworkConfig(SubnetLayout.of(range), Vxlan.of(vni));
  }

  public Cidr range() {
    return layout.range();
  }
}
