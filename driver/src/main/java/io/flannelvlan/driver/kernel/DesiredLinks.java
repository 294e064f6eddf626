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

  /** The kernel gives a tunnel no larger MTU than its underlay carries, which may have changed. */
  static KernelLink vxlan(DesiredVlan vlan, KernelState state) {
    int mtu =
        state
            .link(vlan.links().tunnel().underlay())
            .map(underlay -> Math.min(vlan.mtu(), underlay.mtu() - Underlay.OVERHEAD))
            .orElse(vlan.mtu());
    return new KernelLink(
        vlan.links().vxlan(),
        vlan.links().tunnel(),
        Optional.of(vlan.links().vxlanMac()),
        mtu,
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
