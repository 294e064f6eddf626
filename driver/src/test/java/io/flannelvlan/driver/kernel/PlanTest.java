package io.flannelvlan.driver.kernel;

import static io.flannelvlan.driver.kernel.Played.play;
import static io.flannelvlan.driver.kernel.Played.settled;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.driver.kernel.Desired.DesiredEndpoint;
import io.flannelvlan.driver.kernel.Desired.DesiredVlan;
import io.flannelvlan.driver.kernel.Desired.Links;
import io.flannelvlan.driver.kernel.Desired.Peer;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlanTest {

  private static final IpAddress HERE = IpAddress.parse("198.51.100.11");
  private static final Peer PEER =
      new Peer(
          Cidr.parse("10.2.88.0/24"),
          IpAddress.parse("198.51.100.12"),
          MacAddress.parse("2a:88:6f:10:c4:02"),
          false);

  @Test
  void aFreshVlanIsMadeInTheOrderThatTheKernelNeeds() {
    Plan plan = Plan.between(new Desired(List.of(vlan2(List.of(PEER), true))), underlay());
    assertThat(plan.conflicts()).isEmpty();
    assertThat(plan)
        .hasToString(
            """
            ip link add fvbr.2 address 0a:58:0a:02:14:01 mtu 1450 alias 'flannelvlan vlan002' up type bridge
            ip link add flannel.2 address 0e:2d:11:20:5a:01 mtu 1450 alias 'flannelvlan vlan002' up type vxlan id 2 dev eth0 local 198.51.100.11 dstport 8472 nolearning
            ip link add fv51f2a9c0d1b mtu 1450 master fvbr.2 alias 'flannelvlan vlan002' up type veth peer name fc51f2a9c0d1b address 0a:58:0a:02:14:05 mtu 1450
            sysctl -w net.ipv4.conf.fvbr/2.forwarding=1
            sysctl -w net.ipv4.conf.fvbr/2.route_localnet=1
            sysctl -w net.ipv4.conf.flannel/2.forwarding=1
            sysctl -w net.ipv4.conf.eth0.forwarding=1
            ip addr add 10.2.20.0/32 dev flannel.2
            ip addr add 10.2.20.1/24 dev fvbr.2
            ip neigh replace 10.2.88.0 lladdr 2a:88:6f:10:c4:02 dev flannel.2 nud permanent
            bridge fdb replace 2a:88:6f:10:c4:02 dev flannel.2 dst 198.51.100.12 self permanent
            ip route replace 10.2.88.0/24 via 10.2.88.0 dev flannel.2 onlink proto 241\
            """);
  }

  @Test
  void peerLeaseGoneRemovesRouteThenFdbThenNeighbor() {
    KernelState full = settled(new Desired(List.of(vlan2(List.of(PEER), true))), underlay());
    Plan plan = Plan.between(new Desired(List.of(vlan2(List.of(), true))), full);
    assertThat(plan)
        .hasToString(
            """
            ip route del 10.2.88.0/24 via 10.2.88.0 dev flannel.2 onlink proto 241
            bridge fdb del 2a:88:6f:10:c4:02 dev flannel.2 dst 198.51.100.12 self permanent
            ip neigh del 10.2.88.0 dev flannel.2\
            """);
  }

  @Test
  void aPeersNewMacReplacesTheNeighborAndDropsTheOldFdbEntry() {
    KernelState full = settled(new Desired(List.of(vlan2(List.of(PEER), true))), underlay());
    Peer moved =
        new Peer(
            PEER.subnet(),
            IpAddress.parse("198.51.100.13"),
            MacAddress.parse("2a:88:6f:10:c4:03"),
            false);
    Plan plan = Plan.between(new Desired(List.of(vlan2(List.of(moved), true))), full);
    assertThat(plan)
        .hasToString(
            """
            ip neigh replace 10.2.88.0 lladdr 2a:88:6f:10:c4:03 dev flannel.2 nud permanent
            bridge fdb replace 2a:88:6f:10:c4:03 dev flannel.2 dst 198.51.100.13 self permanent
            bridge fdb del 2a:88:6f:10:c4:02 dev flannel.2 dst 198.51.100.12 self permanent\
            """);
  }

  @Test
  void aliasAndGroupThatSomebodyChangedAreSetAgainWithoutMakingTheLinkAnew() {
    Desired desired = new Desired(List.of(vlan2(List.of(PEER), true)));
    KernelState changed =
        settled(desired, underlay())
            .after(new Change.SetAlias("-", "fvbr.2", Mark.aliasOf("mine", Mark.GROUP)))
            .after(new Change.SetGroup("-", "flannel.2", 7));
    assertThat(Plan.between(desired, changed))
        .hasToString(
            """
            ip link set fvbr.2 alias 'flannelvlan vlan002'
            ip link set flannel.2 group 26220\
            """);
  }

  @Test
  void unknownPeersRemoveNothing() {
    KernelState full = settled(new Desired(List.of(vlan2(List.of(PEER), true))), underlay());
    DesiredVlan unknown = withPeers(vlan2(List.of(), true), Optional.empty());
    assertThat(Plan.between(new Desired(List.of(unknown)), full).changes()).isEmpty();
  }

  @Test
  void directRoutingIsAPlainRouteWithoutNeighborOrFdb() {
    Peer direct = new Peer(PEER.subnet(), PEER.publicAddress(), PEER.vtepMac(), true);
    KernelState state = settled(new Desired(List.of(vlan2(List.of(direct), true))), underlay());
    assertThat(state.fdb()).isEmpty();
    assertThat(state.neighbors()).isEmpty();
    assertThat(texts(state.routes())).contains("10.2.88.0/24 via 198.51.100.12 dev eth0 proto 241");
  }

  @Test
  void aForeignFlannelLinkIsAConflictWithItsNameAndIsLeftAlone() {
    KernelLink foreign = vxlanLink("flannel.2", 2, "");
    KernelState state = underlay().after(new Change.AddLink("-", foreign));
    Plan plan = Plan.between(new Desired(List.of(vlan2(List.of(PEER), true))), state);
    assertThat(plan.conflicts()).singleElement().asString().contains("flannel.2", "ip link del");
    assertThat(plan.toString()).doesNotContain("ip link add flannel.2");
    assertThat(play(plan, state).link("flannel.2")).contains(foreign);
  }

  @Test
  void aForeignLinkInOurWayDoesNotTakeTheContainersLinks() {
    Desired desired = new Desired(List.of(vlan2(List.of(PEER), true, true)));
    KernelState running =
        settled(new Desired(List.of(vlan2(List.of(PEER), true))), underlay())
            .after(new Change.DeleteLink("-", "flannel.2"))
            .after(new Change.AddLink("-", vxlanLink("flannel.2", 2, "")));
    Plan plan = Plan.between(desired, running);
    assertThat(plan.conflicts()).hasSize(1);
    assertThat(plan.toString()).doesNotContain("ip link del");
  }

  @Test
  void aForeignTunnelWhereTheBridgeShouldBeIsCalledByItsName() {
    KernelState state = underlay().after(new Change.AddLink("-", vxlanLink("fvbr.2", 9, "")));
    Plan plan = Plan.between(new Desired(List.of(vlan2(List.of(), false))), state);
    assertThat(plan.conflicts())
        .singleElement()
        .asString()
        .contains("needs link fvbr.2, which exists already");
  }

  @Test
  void aForeignLinkOfAnotherNameWithOurVniAndPortIsAConflict() {
    KernelState state = underlay().after(new Change.AddLink("-", vxlanLink("vx9", 2, "")));
    Plan plan = Plan.between(new Desired(List.of(vlan2(List.of(PEER), true))), state);
    assertThat(plan.conflicts()).singleElement().asString().contains("VNI 2, which vx9 has");
  }

  @Test
  void aVanishedVethOfAJoinedEndpointIsNotMadeAgain() {
    Desired joined = new Desired(List.of(vlan2(List.of(), true, true)));
    assertThat(settled(joined, underlay()).link("fv51f2a9c0d1b")).isEmpty();
  }

  @Test
  void aPortThatLostItsBridgeGetsItsHairpinModeBack() {
    Desired desired = new Desired(List.of(vlan2(List.of(), true)));
    KernelState bridgeless =
        settled(desired, underlay()).after(new Change.DeleteLink("-", "fvbr.2"));
    assertThat(Plan.between(desired, bridgeless).toString())
        .contains(
            "ip link set fv51f2a9c0d1b master fvbr.2",
            "bridge link set dev fv51f2a9c0d1b hairpin on");
  }

  @Test
  void twoLeasesThatClaimOneMacSettle() {
    Peer twin = new Peer(Cidr.parse("10.2.99.0/24"), HERE, PEER.vtepMac(), false);
    settled(new Desired(List.of(vlan2(List.of(PEER, twin), true))), underlay());
  }

  @Test
  void aForeignRouteToAPeersSubnetIsAConflictAndStays() {
    KernelRoute foreign =
        new KernelRoute(
            PEER.subnet(), Optional.of(IpAddress.parse("198.51.100.9")), "eth0", false, 4);
    KernelState state = underlay().after(new Change.PutRoute("-", foreign));
    Plan plan = Plan.between(new Desired(List.of(vlan2(List.of(PEER), true))), state);
    assertThat(plan.conflicts()).singleElement().asString().contains(foreign.toString());
    assertThat(play(plan, state).routes()).contains(foreign);
  }

  /**
   * Laws over a random walk of wishes and of things that happen to the kernel by themselves: the
   * plans settle, a settled kernel needs no plan, nothing foreign changes, nothing of ours is left
   * when nothing is wished.
   */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void anyWalkSettlesAndEndsClean(long seed) {
    Random random = new Random(seed);
    KernelState state = underlay();
    for (int i = 0; i < 3; i++) {
      state = state.after(new Change.AddLink("-", link("user" + i, new KernelLink.Bridge(), "")));
      state = state.after(new Change.AddAddress("-", address("user" + i, "10.9." + i + ".1/24")));
    }
    KernelState before = state;
    for (int step = 0; step < 200; step++) {
      Desired desired = randomDesired(random);
      state = accident(random, settled(desired, state));
      assertThat(foreign(settled(desired, state))).isEqualTo(foreign(before));
    }
    assertThat(withoutSettings(settled(new Desired(List.of()), state)))
        .isEqualTo(withoutSettings(before));
  }

  private static Desired randomDesired(Random random) {
    List<DesiredVlan> vlans = new ArrayList<>();
    for (int vni = 1; vni <= 4; vni++) {
      if (random.nextInt(3) == 0) {
        continue;
      }
      Set<Peer> peers = new HashSet<>();
      for (int i = random.nextInt(5); i > 0; i--) {
        peers.add(
            new Peer(
                Cidr.parse("10." + vni + "." + (80 + random.nextInt(4)) + ".0/24"),
                IpAddress.parse("198.51.100." + (12 + random.nextInt(3))),
                new MacAddress(0x020000000000L + random.nextInt(3)),
                random.nextInt(4) == 0));
      }
      List<DesiredEndpoint> endpoints = new ArrayList<>();
      for (int i = 0; i < random.nextInt(4); i++) {
        String id = vni + "e" + i;
        endpoints.add(
            new DesiredEndpoint("fv" + id, "fc" + id, new MacAddress(i), random.nextBoolean()));
      }
      List<Cidr> subnets = new ArrayList<>(List.of(Cidr.parse("10." + vni + ".20.0/24")));
      if (random.nextBoolean()) {
        subnets.add(Cidr.parse("10." + vni + ".21.0/24"));
      }
      vlans.add(
          new DesiredVlan(
              "vlan00" + vni,
              new Vni(vni),
              Cidr.parse("10." + vni + ".0.0/16"),
              subnets,
              links(vni, random.nextInt(4) == 0 ? 4789 : 8472),
              1400 + 10 * random.nextInt(3),
              random.nextInt(5) == 0 ? Optional.empty() : Optional.of(List.copyOf(peers)),
              endpoints));
    }
    return new Desired(vlans);
  }

  /** Someone deletes a link, an address or a route, or moves a port. */
  private static KernelState accident(Random random, KernelState state) {
    List<Change> possible = new ArrayList<>();
    state.links().values().stream()
        .filter(Mark::isOurs)
        .forEach(link -> possible.add(new Change.DeleteLink("-", link.name())));
    state.routes().stream()
        .filter(KernelRoute::isOurs)
        .forEach(route -> possible.add(new Change.DeleteRoute("-", route)));
    state.fdb().forEach(entry -> possible.add(new Change.DeleteFdb("-", entry)));
    state.neighbors().forEach(n -> possible.add(new Change.DeleteNeighbor("-", n)));
    state.links().values().stream()
        .filter(link -> link.master().isPresent())
        .forEach(port -> possible.add(new Change.SetMaster("-", port.name(), "user0")));
    return possible.isEmpty() ? state : state.after(possible.get(random.nextInt(possible.size())));
  }

  private static Set<String> foreign(KernelState state) {
    Set<String> all = new HashSet<>();
    state.links().values().stream()
        .filter(link -> !Mark.isOurs(link))
        .forEach(link -> all.add(link.toString()));
    state.addresses().stream()
        .filter(a -> state.link(a.link()).filter(link -> !Mark.isOurs(link)).isPresent())
        .forEach(a -> all.add(a.toString()));
    state.routes().stream().filter(r -> !r.isOurs()).forEach(r -> all.add(r.toString()));
    return all;
  }

  private static KernelState withoutSettings(KernelState state) {
    return new KernelState(
        state.links(), state.addresses(), state.neighbors(), state.fdb(), state.routes(), Set.of());
  }

  private static Set<String> texts(Set<?> all) {
    return all.stream().map(Object::toString).collect(Collectors.toSet());
  }

  private static KernelState underlay() {
    KernelRoute lan =
        new KernelRoute(Cidr.parse("198.51.100.0/24"), Optional.empty(), "eth0", false, 2);
    return KernelState.empty()
        .after(new Change.AddLink("-", link("eth0", new KernelLink.Other(""), "")))
        .after(new Change.PutRoute("-", lan));
  }

  private static DesiredVlan vlan2(List<Peer> peers, boolean endpoint) {
    return vlan2(peers, endpoint, false);
  }

  private static DesiredVlan vlan2(List<Peer> peers, boolean endpoint, boolean joined) {
    return new DesiredVlan(
        "vlan002",
        new Vni(2),
        Cidr.parse("10.2.0.0/16"),
        List.of(Cidr.parse("10.2.20.0/24")),
        links(2, 8472),
        1450,
        Optional.of(peers),
        endpoint
            ? List.of(
                new DesiredEndpoint(
                    "fv51f2a9c0d1b",
                    "fc51f2a9c0d1b",
                    MacAddress.parse("0a:58:0a:02:14:05"),
                    joined))
            : List.of());
  }

  private static DesiredVlan withPeers(DesiredVlan vlan, Optional<List<Peer>> peers) {
    return new DesiredVlan(
        vlan.name(),
        vlan.vni(),
        vlan.range(),
        vlan.subnets(),
        vlan.links(),
        vlan.mtu(),
        peers,
        vlan.endpoints());
  }

  private static Links links(int vni, int port) {
    return new Links(
        "fvbr." + vni, "flannel." + vni, tunnel(vni, port), MacAddress.parse("0e:2d:11:20:5a:01"));
  }

  private static KernelLink.Vxlan tunnel(int vni, int port) {
    return new KernelLink.Vxlan(new Vni(vni), "eth0", Optional.of(HERE), port, false, false);
  }

  private static KernelLink vxlanLink(String name, int vni, String alias) {
    return link(name, tunnel(vni, 8472), alias);
  }

  private static KernelLink link(String name, KernelLink.Kind kind, String alias) {
    return new KernelLink(name, kind, Optional.empty(), 1500, true, Optional.empty(), alias);
  }

  private static LinkAddress address(String link, String address) {
    return new LinkAddress(link, InterfaceAddress.parse(address));
  }
}
