package io.flannelvlan.driver;

import io.flannelvlan.driver.kernel.Desired.DesiredVlan;
import io.flannelvlan.driver.kernel.Desired.Fault;
import io.flannelvlan.driver.kernel.KernelLink;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.firewall.Fence;
import io.flannelvlan.firewall.FirewallRules;
import io.flannelvlan.firewall.PublishedPort;
import io.flannelvlan.firewall.VlanRules;
import io.flannelvlan.net.Cidr;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What the firewall should hold, from the VLANs in the kernel and the endpoints' ports. */
final class FirewallWishes {

  private final Networks networks;
  private final Endpoints endpoints;
  private final DockersBridges bridges;
  private final boolean masquerade;

  FirewallWishes(
      Networks networks, Endpoints endpoints, DockersBridges bridges, boolean masquerade) {
    this.networks = networks;
    this.endpoints = endpoints;
    this.bridges = bridges;
    this.masquerade = masquerade;
  }

  /**
   * What the firewall can hold of this.
   *
   * @param faults the VLANs and ports that are not in the rules
   */
  record Told(FirewallRules rules, List<Fault> faults) {

    boolean has(DesiredVlan vlan) {
      return rules.vlans().stream().anyMatch(one -> one.name().equals(vlan.name()));
    }
  }

  /**
   * The rules.
   *
   * @param plain by VLAN, a bridge that is not ours with containers of it
   */
  Told rules(List<DesiredVlan> vlans, Map<String, String> plain, KernelState state) {
    if (vlans.isEmpty()) {
      return new Told(FirewallRules.NONE, List.of());
    }
    Set<String> docker = dockersLinks(vlans, state);
    docker.removeAll(plain.values());
    List<PublishedPort> ports =
        endpoints.all().stream().flatMap(endpoint -> ports(endpoint).stream()).toList();
    try {
      List<VlanRules> rules = vlans.stream().map(vlan -> rules(vlan, plain)).toList();
      return new Told(rules(rules, of(vlans, ports), docker, vlans), List.of());
    } catch (IllegalArgumentException _) {
      return oneByOne(vlans, plain, ports, docker);
    }
  }

  /**
   * Fences around what stands here without rules.
   *
   * @param vlans those with rules
   * @param stays whether another's links stay: those of one that is taken down need none
   */
  static List<Fence> fences(List<DesiredVlan> vlans, Predicate<String> stays, KernelState state) {
    Set<String> ruled =
        vlans.stream()
            .flatMap(vlan -> Stream.of(vlan.links().bridge(), vlan.links().vxlan()))
            .collect(Collectors.toSet());
    List<Fence> fences = new ArrayList<>();
    state
        .vlanLinks()
        .forEach((vlan, all) -> {
          List<KernelLink> links =
              all.stream()
                  .filter(link -> stays.test(vlan) && !ruled.contains(link.name()))
                  .toList();
          if (!links.isEmpty()) {
            fences.add(
                new Fence(
                    vlan,
                    names(links, link -> link.kind() instanceof KernelLink.Bridge),
                    names(links, link -> !(link.kind() instanceof KernelLink.Bridge))));
          }
        });
    return fences;
  }

  private static Set<String> names(List<KernelLink> links, Predicate<KernelLink> which) {
    return links.stream().filter(which).map(KernelLink::name).collect(Collectors.toSet());
  }

  /** What is on the named bridges follows once it is settled which VLANs have rules. */
  private static FirewallRules rules(
      List<VlanRules> rules,
      List<PublishedPort> ports,
      Set<String> docker,
      List<DesiredVlan> vlans) {
    return new FirewallRules(rules, ports, docker, List.of(), NamedBridges.empty(vlans));
  }

  /** One value that the rules refuse must not take all the others with it. */
  private Told oneByOne(
      List<DesiredVlan> vlans,
      Map<String, String> plain,
      List<PublishedPort> ports,
      Set<String> docker) {
    Map<String, DesiredVlan> served = new LinkedHashMap<>();
    List<Fault> faults = new ArrayList<>();
    FirewallRules rules = FirewallRules.NONE;
    for (DesiredVlan vlan : vlans) {
      try {
        List<DesiredVlan> both = plus(List.copyOf(served.values()), vlan);
        rules = rules(plus(rules.vlans(), rules(vlan, plain)), List.of(), docker, both);
        served.put(vlan.name(), vlan);
      } catch (IllegalArgumentException e) {
        faults.add(new Fault(vlan.name(), vlan.range(), String.valueOf(e.getMessage())));
      }
    }
    for (PublishedPort port : of(served.values(), ports)) {
      try {
        rules =
            rules(rules.vlans(), plus(rules.ports(), port), docker, List.copyOf(served.values()));
      } catch (IllegalArgumentException e) {
        Cidr range = Objects.requireNonNull(served.get(port.vlan())).range();
        faults.add(new Fault(port.vlan(), range, String.valueOf(e.getMessage())));
      }
    }
    return new Told(rules, faults);
  }

  private static List<PublishedPort> of(Collection<DesiredVlan> vlans, List<PublishedPort> ports) {
    Set<String> names = vlans.stream().map(DesiredVlan::name).collect(Collectors.toSet());
    return ports.stream().filter(port -> names.contains(port.vlan())).toList();
  }

  private static <T> List<T> plus(List<T> all, T one) {
    return Stream.concat(all.stream(), Stream.of(one)).toList();
  }

  /** A bridge of ours may have a name like Docker's, if the user gave it one. */
  private Set<String> dockersLinks(List<DesiredVlan> vlans, KernelState state) {
    Set<String> links = new HashSet<>(bridges.among(state));
    vlans.forEach(vlan -> links.remove(vlan.links().bridge()));
    return links;
  }

  private VlanRules rules(DesiredVlan vlan, Map<String, String> plain) {
    return new VlanRules(
        vlan.name(),
        vlan.vni(),
        vlan.links().bridge(),
        vlan.links().vxlan(),
        vlan.range(),
        networks.links(vlan.name()).map(VlanLinks::internal).orElse(false),
        masquerade,
        vlan.direct() ? Optional.of(vlan.links().tunnel().underlay()) : Optional.empty(),
        Optional.ofNullable(plain.get(vlan.name())));
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
