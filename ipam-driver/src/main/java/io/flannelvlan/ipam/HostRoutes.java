package io.flannelvlan.ipam;

import io.flannelvlan.net.Cidr;
import java.util.Collection;
import java.util.Optional;

/** What the host's own routing says against a range; the daemon answers from a kernel dump. */
@FunctionalInterface
public interface HostRoutes {

  /**
   * The route, or name server, of this host that the range would cover; empty if there is none.
   *
   * @param own subnets of the range that this host has in etcd: a bridge that carries the gateway
   *     of one, as a plain dockerd's does, is in the VLAN and not in its way
   */
  Optional<String> inTheWayOf(Cidr range, Collection<Cidr> own);
}
