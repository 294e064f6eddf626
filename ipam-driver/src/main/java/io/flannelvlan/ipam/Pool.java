package io.flannelvlan.ipam;

import io.flannelvlan.net.Cidr;
import java.time.Instant;
import java.util.Optional;

/**
 * What RequestPool promised: the VLAN's range, and the subnet of it that this host will have.
 *
 * @param network the VLAN's name in etcd, if the user gave it or the VLAN exists
 * @param subnet whose first address is the gateway that dockerd was told
 * @param within the part of the subnet that containers may have ({@code --ip-range})
 * @param chosen whether the range was left to us; absent in what an older version wrote
 */
public record Pool(
    Cidr range,
    Optional<String> network,
    Cidr subnet,
    Cidr within,
    Instant requested,
    boolean chosen) {

  boolean isConfined() {
    return !within.equals(subnet);
  }
}
