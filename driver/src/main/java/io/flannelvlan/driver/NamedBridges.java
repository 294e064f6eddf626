package io.flannelvlan.driver;

import io.flannelvlan.driver.kernel.Desired.DesiredEndpoint;
import io.flannelvlan.driver.kernel.Desired.DesiredVlan;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.driver.kernel.KernelState.SharedPort;
import io.flannelvlan.firewall.NamedBridge;
import io.flannelvlan.firewall.NamedBridge.Member;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.Vni;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * What the firewall has to know of the bridges that the user named. One with ports of ours counts
 * also when no VLAN wishes for it any more: until they are gone they reach nobody.
 */
final class NamedBridges {

  private NamedBridges() {}

  /** Those that VLANs wish for, with nobody on them yet. */
  static List<NamedBridge> empty(List<DesiredVlan> vlans) {
    return vlans.stream()
        .filter(DesiredVlan::sharesBridge)
        .map(vlan -> vlan.links().bridge())
        .distinct()
        .map(NamedBridge::new)
        .toList();
  }

  /**
   * All of them.
   *
   * @param ruled the VLANs that have rules
   * @param stays whether another's links stay: it gets a fence
   */
  static List<NamedBridge> of(List<DesiredVlan> ruled, Predicate<String> stays, KernelState state) {
    Map<String, List<Member>> bridges = new TreeMap<>();
    empty(ruled).forEach(bridge -> bridges.put(bridge.name(), new ArrayList<>()));
    List<SharedPort> ports =
        state.sharedPorts().stream().filter(port -> NamedBridge.isNameable(port.bridge())).toList();
    ports.forEach(port -> bridges.putIfAbsent(port.bridge(), new ArrayList<>()));
    for (DesiredVlan vlan : ruled) {
      if (vlan.sharesBridge()) {
        members(bridges, vlan.links().bridge()).add(member(vlan));
      }
    }
    Set<Vni> known = ruled.stream().map(DesiredVlan::vni).collect(Collectors.toSet());
    for (SharedPort port : ports) {
      if (stays.test(port.vlan()) && known.add(port.vni())) {
        members(bridges, port.bridge()).add(fenced(port, ruled, bridges, state));
      }
    }
    return bridges.entrySet().stream()
        .map(bridge -> new NamedBridge(bridge.getKey(), bridge.getValue()))
        .toList();
  }

  private static List<Member> members(Map<String, List<Member>> bridges, String bridge) {
    return bridges.getOrDefault(bridge, new ArrayList<>());
  }

  private static Member member(DesiredVlan vlan) {
    return new Member(
        vlan.name(),
        vlan.vni(),
        vlan.subnets().stream().filter(vlan.range()::contains).collect(Collectors.toSet()),
        Optional.of(
            vlan.endpoints().stream().map(DesiredEndpoint::mac).collect(Collectors.toSet())));
  }

  /**
   * Its subnets here are those of which both the bridge and its tunnel have an address. None that
   * another VLAN has too: the packets of both could not be told apart.
   */
  private static Member fenced(
      SharedPort port,
      List<DesiredVlan> ruled,
      Map<String, List<Member>> bridges,
      KernelState state) {
    Set<IpAddress> bases =
        state.addresses().stream()
            .filter(address -> address.link().equals(LinkNames.vxlan(port.vni())))
            .map(address -> address.address().address())
            .collect(Collectors.toSet());
    Set<Cidr> subnets =
        state.addresses().stream()
            .filter(address -> address.link().equals(port.bridge()))
            .map(address -> address.address().subnet())
            .filter(subnet -> bases.contains(subnet.base()))
            .filter(subnet -> ruled.stream().noneMatch(vlan -> vlan.range().overlaps(subnet)))
            .filter(subnet ->
                bridges.values().stream()
                    .flatMap(List::stream)
                    .flatMap(member -> member.subnets().stream())
                    .noneMatch(subnet::overlaps))
            .collect(Collectors.toSet());
    return new Member(port.vlan(), port.vni(), subnets, Optional.empty());
  }
}
