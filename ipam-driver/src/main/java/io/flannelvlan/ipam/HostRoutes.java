package io.flannelvlan.ipam;

import io.flannelvlan.net.Cidr;
import java.util.Optional;

/** What the host's own routing says against a range; the daemon answers from a kernel dump. */
@FunctionalInterface
public interface HostRoutes {

  /** The route, or name server, of this host that the range would cover; empty if there is none. */
  Optional<String> inTheWayOf(Cidr range);
}
