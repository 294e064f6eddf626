package io.flannelvlan.firewall;

import io.flannelvlan.net.Cidr;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * All that the firewall of this host must know. Equal if they mean the same, however ordered.
 *
 * <p>A value that exists can be loaded: what nft would refuse (and then refuse for all VLANs
 * together) is refused here, so a caller that adds VLANs and ports one by one finds the bad one.
 *
 * @param dockerLinks the bridges of Docker's own networks on this host
 * @param fences the VLANs that stand here and are not among the others
 * @param named the bridges that VLANs may share
 */
public record FirewallRules(
    List<VlanRules> vlans,
    List<PublishedPort> ports,
    Set<String> dockerLinks,
    List<Fence> fences,
    List<NamedBridge> named) {

  /** No VLANs: nothing of ours in the firewall. */
  public static final FirewallRules NONE = new FirewallRules(List.of(), List.of(), Set.of());

  public FirewallRules {
    vlans = vlans.stream().sorted(Comparator.comparing(VlanRules::vni)).toList();
    ports = ports.stream().sorted().toList();
    dockerLinks = Set.copyOf(dockerLinks);
    fences = fences.stream().sorted(Comparator.comparing(Fence::vlan)).toList();
    named = named.stream().sorted(Comparator.comparing(NamedBridge::name)).toList();
    Set<String> links = new HashSet<>(dockerLinks);
    for (NamedBridge bridge : named) {
      if (!links.add(bridge.name())) {
        throw new IllegalArgumentException(
            "bridge " + bridge.name() + " belongs to another network too");
      }
    }
    dockerLinks.forEach(LinkName::checked);
    for (int i = 0; i < vlans.size(); i++) {
      VlanRules vlan = vlans.get(i);
      for (VlanRules other : vlans.subList(0, i)) {
        refuseConflict(vlan, other);
      }
      for (String link : ownLinks(vlan, named)) {
        if (!links.add(link)) {
          throw new IllegalArgumentException(
              "link " + link + " of VLAN " + vlan.name() + " belongs to another network too");
        }
      }
    }
    for (Fence fence : fences) {
      for (String link : fence.links()) {
        if (!links.add(link)) {
          throw new IllegalArgumentException("link " + link + " has rules, and needs no fence");
        }
      }
    }
    refuseConflicts(vlans, ports);
    refuseOverlaps(named.stream().flatMap(bridge -> bridge.members().stream()).toList());
  }

  /** Each VLAN has a bridge of its own. */
  public FirewallRules(
      List<VlanRules> vlans,
      List<PublishedPort> ports,
      Set<String> dockerLinks,
      List<Fence> fences) {
    this(vlans, ports, dockerLinks, fences, List.of());
  }

  /** All VLANs that stand here are known. */
  public FirewallRules(List<VlanRules> vlans, List<PublishedPort> ports, Set<String> dockerLinks) {
    this(vlans, ports, dockerLinks, List.of());
  }

  /**
   * These, and a fence around each of those, with all that is on the named bridges. A port of ours
   * may have been put on a bridge of Docker's: its rules are then those of a named one.
   */
  public FirewallRules with(List<Fence> unknown, List<NamedBridge> bridges) {
    Set<String> others = new HashSet<>(dockerLinks);
    bridges.forEach(bridge -> others.remove(bridge.name()));
    return new FirewallRules(vlans, ports, others, unknown, bridges);
  }

  /** The links that are the VLAN's alone. */
  List<String> ownLinks(VlanRules vlan) {
    return ownLinks(vlan, named);
  }

  private static List<String> ownLinks(VlanRules vlan, List<NamedBridge> named) {
    return vlan.links().stream()
        .filter(link -> named.stream().noneMatch(bridge -> bridge.name().equals(link)))
        .toList();
  }

  /** The bridges that are the VLAN's alone. */
  Stream<String> ownBridges(VlanRules vlan) {
    return vlan.bridges().stream().filter(ownLinks(vlan)::contains);
  }

  /** Whether the VLAN's bridge is its own. */
  boolean ownsBridge(VlanRules vlan) {
    return ownLinks(vlan).contains(vlan.bridge());
  }

  Stream<NamedBridge.Member> members() {
    return named.stream().flatMap(bridge -> bridge.members().stream());
  }

  /** What is known of a VLAN on a named bridge; empty if that has a fence. */
  Optional<VlanRules> rules(NamedBridge.Member member) {
    return vlans.stream().filter(vlan -> vlan.vni().equals(member.vni())).findFirst();
  }

  /** The member's links beside the bridge. */
  Stream<String> linksOf(NamedBridge.Member member) {
    return rules(member)
        .map(vlan -> ownLinks(vlan).stream())
        .orElseGet(() ->
            fences.stream()
                .filter(fence -> fence.vlan().equals(member.vlan()))
                .flatMap(fence -> fence.links().stream()));
  }

  /** nft takes no set of ranges that overlap. */
  private static void refuseOverlaps(List<NamedBridge.Member> members) {
    List<Cidr> all = members.stream().flatMap(member -> member.subnets().stream()).toList();
    for (int i = 0; i < all.size(); i++) {
      for (Cidr other : all.subList(0, i)) {
        if (all.get(i).overlaps(other)) {
          throw new IllegalArgumentException(
              "two VLANs have containers in " + all.get(i) + " and " + other);
        }
      }
    }
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

  /** Whether nothing of ours has to stand in the firewall. */
  boolean isEmpty() {
    return vlans.isEmpty() && fences.isEmpty() && named.isEmpty();
  }

  /** What is to pass, as {@link ForwardHook} wants it: of a named bridge only what is ours. */
  public Set<Passage> passages() {
    return Stream.of(
            vlans.stream().filter(this::ownsBridge).map(vlan -> Passage.of(vlan.bridge())),
            fences.stream().flatMap(fence -> fence.bridges().stream()).map(Passage::of),
            named.stream().flatMap(FirewallRules::passages))
        .flatMap(all -> all)
        .collect(Collectors.toSet());
  }

  private static Stream<Passage> passages(NamedBridge bridge) {
    return bridge.members().stream()
        .flatMap(member -> member.subnets().stream())
        .map(subnet -> new Passage(bridge.name(), Optional.of(subnet)));
  }

  /** The bridges of others on which VLANs have containers, as {@link ForwardHook} wants them. */
  public Set<String> plainBridges() {
    return vlans.stream()
        .flatMap(vlan -> vlan.plain().stream())
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
