package io.flannelvlan.firewall;

import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A VLAN of ours of which no more is known than its links: what it was is still to be learned. Its
 * members reach each other and the gateway here, as in an internal VLAN, and nobody else reaches
 * them; its gateway's address, which is not known either, is the host's like any other.
 *
 * @param vlan its name
 * @param bridges with the containers
 * @param vxlans to the peers
 */
public record Fence(String vlan, Set<String> bridges, Set<String> vxlans) {

  public Fence {
    bridges = Set.copyOf(bridges);
    vxlans = Set.copyOf(vxlans);
    bridges.forEach(LinkName::checked);
    vxlans.forEach(LinkName::checked);
  }

  /** All by which its packets come and go, in a fixed order. */
  List<String> links() {
    return Stream.concat(bridges.stream(), vxlans.stream()).sorted().toList();
  }
}
