package io.flannelvlan.firewall;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A bridge that the user named, for one VLAN or several, with or without ports of his own. Here a
 * packet's VLAN is not told by the link: on the bridge it is told by the port's group, and above it
 * by the container's address, which the bridge's rules make trustworthy.
 *
 * @param members the VLANs with ports on it
 */
public record NamedBridge(String name, List<Member> members) {

  public NamedBridge {
    LinkName.checked(name);
    members = members.stream().sorted(Comparator.comparing(Member::vni)).toList();
  }

  /** Whether rules can name such a bridge. */
  public static boolean isNameable(String name) {
    return LinkName.isPlain(name);
  }

  /** One that is to be: whatever has a port on it reaches nobody. */
  public NamedBridge(String name) {
    this(name, List.of());
  }

  /**
   * A VLAN on it.
   *
   * @param vlan by which its rules, or else its fence, are found
   * @param subnets this host's: nobody else's containers are on the bridge
   * @param stations the MACs of its containers; absent if they are not known, as behind a fence
   */
  public record Member(
      String vlan, Vni vni, Set<Cidr> subnets, Optional<Set<MacAddress>> stations) {

    public Member {
      subnets = Set.copyOf(subnets);
      stations = stations.map(Set::copyOf);
    }

    List<String> addresses() {
      return subnets.stream().sorted().map(Cidr::toString).toList();
    }
  }
}
