package io.flannelvlan.driver.kernel;

import io.flannelvlan.driver.kernel.Desired.DesiredVlan;
import io.flannelvlan.net.MacAddress;
import java.util.List;
import java.util.Optional;

/**
 * One bridge with the VLANs on it: one, or several if the user named it.
 *
 * @param vlans at least one
 */
record DesiredBridge(String name, List<DesiredVlan> vlans) {

  static DesiredBridge of(DesiredVlan vlan, Desired desired) {
    String name = vlan.links().bridge();
    return new DesiredBridge(
        name, desired.vlans().stream().filter(v -> v.links().bridge().equals(name)).toList());
  }

  /** Whether the user made it. */
  boolean isUsers() {
    return vlans.stream().anyMatch(vlan -> vlan.links().usersBridge());
  }

  private boolean isShared() {
    return vlans.stream().anyMatch(DesiredVlan::sharesBridge);
  }

  /** The bridge as it should be, if it is ours. */
  KernelLink wanted(KernelState state) {
    return new KernelLink(
        name,
        new KernelLink.Bridge(),
        mac(state),
        vlans.stream().mapToInt(DesiredVlan::mtu).max().orElseThrow(),
        true,
        Optional.empty(),
        isShared() ? Mark.sharedAlias(name) : Mark.alias(vlans.getFirst().name()),
        Mark.GROUP);
  }

  /**
   * A fixed MAC: left alone, a bridge takes the lowest of its ports', and every container would
   * have to learn its gateway anew whenever that changes. For the same reason a VLAN that comes to
   * others or leaves them changes nothing.
   */
  private Optional<MacAddress> mac(KernelState state) {
    Optional<MacAddress> first =
        vlans.stream()
            .flatMap(vlan -> vlan.subnets().stream().limit(1))
            .map(subnet -> MacAddress.ofEndpoint(subnet.base().plus(1)))
            .findFirst();
    return isShared()
        ? state.link(name).flatMap(KernelLink::mac).filter(MacAddress::isOfEndpoint).or(() -> first)
        : first;
  }

  /** What is wrong with a bridge of the user's, as a sentence for him; empty if nothing is. */
  Optional<Trouble> trouble(KernelState state) {
    Optional<KernelLink> present = state.link(name);
    if (!isUsers() || present.filter(Mark::isOurs).isPresent()) {
      return Optional.empty();
    }
    if (present.isEmpty()) {
      return Optional.of(
          new Trouble("is not there: make it again (ip link add " + name + " type bridge)", true));
    }
    if (!(present.get().kind() instanceof KernelLink.Bridge)) {
      return Optional.of(new Trouble("is no bridge any more: make it one again", true));
    }
    return present.get().up()
        ? Optional.empty()
        : Optional.of(new Trouble("is down: ip link set " + name + " up", false));
  }

  /**
   * What is wrong.
   *
   * @param missing whether there is no bridge to put anything on
   */
  record Trouble(String words, boolean missing) {}
}
