package io.flannelvlan.driver;

import io.flannelvlan.driver.kernel.Desired.DesiredVlan;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.firewall.FirewallRules;
import io.flannelvlan.firewall.PublishedPort;
import io.flannelvlan.firewall.VlanRules;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What the firewall should hold, from the VLANs in the kernel and the endpoints' ports. */
final class FirewallWishes {

  /** The bridges that dockerd makes for its own networks, unless the user names them. */
  private static final Pattern DOCKERS = Pattern.compile("docker0|docker_gwbridge|br-[0-9a-f]{12}");

  private final Networks networks;
  private final Endpoints endpoints;
  private final boolean masquerade;

  FirewallWishes(Networks networks, Endpoints endpoints, boolean masquerade) {
    this.networks = networks;
    this.endpoints = endpoints;
    this.masquerade = masquerade;
  }

  FirewallRules rules(List<DesiredVlan> vlans, KernelState state) {
    if (vlans.isEmpty()) {
      return FirewallRules.NONE;
    }
    Set<String> names = vlans.stream().map(DesiredVlan::name).collect(Collectors.toSet());
    return new FirewallRules(
        vlans.stream().map(this::rules).toList(),
        endpoints.all().stream()
            .flatMap(endpoint -> ports(endpoint).stream())
            .filter(port -> names.contains(port.vlan()))
            .toList(),
        dockersLinks(vlans, state));
  }

  /** A bridge of ours may have a name like Docker's, if the user gave it one. */
  private static Set<String> dockersLinks(List<DesiredVlan> vlans, KernelState state) {
    Set<String> ours =
        vlans.stream().map(vlan -> vlan.links().bridge()).collect(Collectors.toSet());
    return state.links().keySet().stream()
        .filter(link -> DOCKERS.matcher(link).matches() && !ours.contains(link))
        .collect(Collectors.toSet());
  }

  /**
   * No filter on who may send into the VNI: a peer behind address translation sends from another
   * address than the one in its lease, and stock flanneld filters nothing either.
   */
  private VlanRules rules(DesiredVlan vlan) {
    return new VlanRules(
        vlan.name(),
        vlan.vni(),
        vlan.links().bridge(),
        vlan.links().vxlan(),
        vlan.links().tunnel().port(),
        vlan.range(),
        networks.links(vlan.name()).map(VlanLinks::internal).orElse(false),
        masquerade,
        Optional.empty(),
        vlan.direct() ? Optional.of(vlan.links().tunnel().underlay()) : Optional.empty());
  }

  private List<PublishedPort> ports(Endpoint endpoint) {
    List<PublishedPort> all = new ArrayList<>();
    Optional<Network> network = networks.find(endpoint.network());
    for (HostPort port : endpoint.ports()) {
      network.ifPresent(n ->
          all.add(
              new PublishedPort(
                  port.protocol(),
                  port.hostIp(),
                  port.port(),
                  endpoint.address().address(),
                  port.containerPort(),
                  n.vlan())));
    }
    return all;
  }
}
