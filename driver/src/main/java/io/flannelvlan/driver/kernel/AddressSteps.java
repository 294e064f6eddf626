package io.flannelvlan.driver.kernel;

import io.flannelvlan.driver.kernel.Desired.DesiredVlan;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The plan's part about addresses, pure. */
record AddressSteps(Desired desired, KernelState state) {

  /** What the VLAN's links lack. */
  List<Change> missing(DesiredVlan vlan) {
    List<Change> steps = new ArrayList<>();
    Plan.sorted(wanted(vlan), address -> state.addresses().stream().noneMatch(address::isSameAs))
        .forEach(address -> steps.add(new Change.AddAddress(vlan.name(), address)));
    return steps;
  }

  /** What the links that are the VLAN's alone have too much. */
  List<Change> stale(DesiredVlan vlan) {
    Set<LinkAddress> wanted = wanted(vlan);
    List<Change> steps = new ArrayList<>();
    Plan.sorted(
            state.addresses(),
            address -> carries(vlan, address.link()) && !wanted.contains(address))
        .forEach(address -> steps.add(new Change.DeleteAddress(vlan.name(), address)));
    return steps;
  }

  private static Set<LinkAddress> wanted(DesiredVlan vlan) {
    Set<LinkAddress> wanted = new HashSet<>();
    for (Cidr subnet : vlan.subnets()) {
      wanted.add(gateway(vlan, subnet));
      wanted.add(new LinkAddress(vlan.links().vxlan(), new InterfaceAddress(subnet.base(), 32)));
    }
    return wanted;
  }

  private static LinkAddress gateway(DesiredVlan vlan, Cidr subnet) {
    return new LinkAddress(vlan.links().bridge(), subnet.at(1), vlan.links().usersBridge());
  }

  private static boolean carries(DesiredVlan vlan, String link) {
    return link.equals(vlan.links().vxlan())
        || (link.equals(vlan.links().bridge()) && !vlan.sharesBridge());
  }

  /**
   * From a bridge that VLANs may share goes what is of a VLAN that we know, or of none that we may
   * have forgotten; from a bridge of the user's, of that only what is ours.
   *
   * @param links that stay
   */
  List<Change> staleOnShared(Set<String> links) {
    Set<LinkAddress> wanted = new HashSet<>();
    desired.vlans().forEach(vlan -> wanted.addAll(wanted(vlan)));
    List<Change> steps = new ArrayList<>();
    for (LinkAddress address : Plan.sorted(state.addresses(), a -> isOnShared(a, links))) {
      IpAddress ip = address.address().address();
      Optional<DesiredVlan> vlan =
          desired.vlans().stream().filter(v -> v.range().contains(ip)).findFirst();
      if (wanted.stream().noneMatch(address::isSameAs) && (vlan.isPresent() || isNobodys(ip))) {
        steps.add(new Change.DeleteAddress(vlan.map(DesiredVlan::name).orElse("-"), address));
      }
    }
    return steps;
  }

  private boolean isOnShared(LinkAddress address, Set<String> links) {
    return state
        .link(address.link())
        .filter(link ->
            Mark.isOurs(link)
                ? Mark.isShared(link) && links.contains(link.name())
                : address.labelled())
        .isPresent();
  }

  /** Never delete on ignorance. */
  private boolean isNobodys(IpAddress address) {
    return desired.extent() == Desired.Extent.ALL
        && desired.faults().stream()
            .noneMatch(fault -> desired.isUntold(fault) && fault.range().contains(address));
  }
}
