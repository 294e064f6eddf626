package io.flannelvlan.driver;

import io.flannelvlan.net.Cidr;
import java.time.Instant;
import java.util.Map;

/**
 * A Docker network of ours on this host; the journal's record.
 *
 * @param vlan the VLAN's name
 * @param options as the user gave them, to tell a repeated call from a different one
 * @param pool the CIDR that dockerd has for it: the VLAN's range, or with Docker's own IPAM this
 *     host's subnet
 * @param dockersIpam whether Docker's own IPAM gives the addresses
 */
record Network(
    String id,
    String vlan,
    Map<String, String> options,
    Cidr pool,
    boolean dockersIpam,
    boolean internal,
    Instant created) {

  Network {
    options = Map.copyOf(options);
  }

  /** Whether a repeated CreateNetwork asks for what this one is. */
  boolean asksTheSame(Network other) {
    return id.equals(other.id)
        && options.equals(other.options)
        && pool.equals(other.pool)
        && dockersIpam == other.dockersIpam
        && internal == other.internal;
  }
}
