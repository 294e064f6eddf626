package io.flannelvlan.firewall;

import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * All that the firewall of this host must know. Equal if they mean the same, however ordered.
 *
 * <p>A value that exists can be loaded: what nft would refuse (and then refuse for all VLANs
 * together) is refused here, so a caller that adds VLANs and ports one by one finds the bad one.
 *
 * @param dockerLinks the bridges of Docker's own networks on this host
 */
public record FirewallRules(
    List<VlanRules> vlans, List<PublishedPort> ports, Set<String> dockerLinks) {

  /** No VLANs: nothing of ours in the firewall. */
  public static final FirewallRules NONE = new FirewallRules(List.of(), List.of(), Set.of());

  public FirewallRules {
    vlans = vlans.stream().sorted(Comparator.comparing(VlanRules::vni)).toList();
    ports = ports.stream().sorted().toList();
    dockerLinks = Set.copyOf(dockerLinks);
    Set<String> links = new HashSet<>(dockerLinks);
    dockerLinks.forEach(LinkName::checked);
    for (int i = 0; i < vlans.size(); i++) {
      VlanRules vlan = vlans.get(i);
      for (VlanRules other : vlans.subList(0, i)) {
        refuseConflict(vlan, other);
      }
      for (String link : vlan.links()) {
        if (!links.add(link)) {
          throw new IllegalArgumentException(
              "link " + link + " of VLAN " + vlan.name() + " belongs to another network too");
        }
      }
    }
    refuseConflicts(vlans, ports);
  }

  private static void refuseConflict(VlanRules vlan, VlanRules other) {
    if (vlan.name().equals(other.name())
        || vlan.vni().equals(other.vni())
        || vlan.range().overlaps(other.range())) {
      throw new IllegalArgumentException(
          "VLANs cannot share a name, a VNI or addresses: %s (VNI %s, %s) and %s (VNI %s, %s)"
              .formatted(
                  other.name(), other.vni(), other.range(), vlan.name(), vlan.vni(), vlan.range()));
    }
  }

  private static void refuseConflicts(List<VlanRules> vlans, List<PublishedPort> ports) {
    Map<String, VlanRules> byName =
        vlans.stream().collect(Collectors.toMap(VlanRules::name, vlan -> vlan));
    Map<String, PublishedPort> byHostSide = new HashMap<>();
    for (PublishedPort port : ports) {
      VlanRules vlan = byName.get(port.vlan());
      if (vlan == null || !vlan.range().contains(port.containerAddress())) {
        throw new IllegalArgumentException(
            "publish " + port + ": there is no such VLAN, or the address is not of its range");
      }
      PublishedPort other = byHostSide.put(port.hostSide(), port);
      if (other != null) {
        throw new IllegalArgumentException("publish " + port + ": already published: " + other);
      }
    }
  }

  /** The bridges, as {@link ForwardHook} wants them. */
  public Set<String> bridges() {
    return vlans.stream().map(VlanRules::bridge).collect(Collectors.toCollection(TreeSet::new));
  }
}
