package io.flannelvlan.driver.kernel;

import io.flannelvlan.driver.kernel.Desired.DesiredEndpoint;
import io.flannelvlan.driver.kernel.Desired.DesiredVlan;
import io.flannelvlan.firewall.PortGroup;
import java.util.Optional;

/**
 * The links that are a VLAN's alone, as they should stand; its bridge is {@link DesiredBridge}'s.
 */
final class DesiredLinks {

  private DesiredLinks() {}

  static KernelLink vxlan(DesiredVlan vlan) {
    return new KernelLink(
        vlan.links().vxlan(),
        vlan.links().tunnel(),
        Optional.of(vlan.links().vxlanMac()),
        vlan.mtu(),
        true,
        Optional.empty(),
        Mark.alias(vlan.name()),
        Mark.GROUP);
  }

  static KernelLink hostEnd(DesiredVlan vlan, DesiredEndpoint endpoint) {
    return new KernelLink(
        endpoint.hostLink(),
        new KernelLink.Veth(/* peerAway= */ false),
        Optional.empty(),
        vlan.mtu(),
        true,
        Optional.of(vlan.links().bridge()),
        Mark.alias(vlan.name()),
        vlan.sharesBridge() ? PortGroup.of(vlan.vni()) : Mark.GROUP);
  }
}
