package io.flannelvlan.driver.kernel;

import static io.flannelvlan.driver.kernel.Played.play;
import static io.flannelvlan.driver.kernel.Played.settled;
import static io.flannelvlan.driver.kernel.Wished.onBridge;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.groups.Tuple.tuple;

import io.flannelvlan.driver.kernel.Desired.DesiredEndpoint;
import io.flannelvlan.driver.kernel.Desired.DesiredVlan;
import io.flannelvlan.driver.kernel.Desired.Extent;
import io.flannelvlan.driver.kernel.Desired.Fault;
import io.flannelvlan.firewall.FirewallRules;
import io.flannelvlan.firewall.PortGroup;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
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

/** Several VLANs on one bridge, ours or the user's. */
class SharedBridgePlanTest {

  private static final String BRIDGE = "br-tun1";
  private static final DesiredVlan ONE = vlan(1, BRIDGE, false);
  private static final DesiredVlan TWO = vlan(2, BRIDGE, false);
  private static final MacAddress FIRST = MacAddress.parse("0a:58:0a:01:14:01");

  @Test
  void eachPortIsMadeInTheGroupOfItsVlan() {
    Plan plan = Plan.between(wish(ONE, TWO), host());
    assertThat(plan.conflicts()).isEmpty();
    assertThat(plan.toString().lines().filter(line -> line.contains(BRIDGE)))
        .containsExactly(
            "ip link add br-tun1 address 0a:58:0a:01:14:01 mtu 1450"
                + " alias 'flannelvlan bridge/br-tun1' up type bridge",
            "ip link add fv100000000000 mtu 1450 master br-tun1 group 1711276033 alias 'flannelvlan"
                + " vlan001' up type veth peer name fc100000000000 address 0a:58:0a:02:14:00 mtu"
                + " 1450",
            "ip link add fv200000000000 mtu 1450 master br-tun1 group 1711276034 alias 'flannelvlan"
                + " vlan002' up type veth peer name fc200000000000 address 0a:58:0a:02:14:00 mtu"
                + " 1450",
            "sysctl -w net.ipv4.conf.br-tun1.forwarding=1",
            "sysctl -w net.ipv4.conf.br-tun1.route_localnet=1",
            "ip addr add 10.1.20.1/24 dev br-tun1",
            "sysctl -w net.ipv4.conf.br-tun1.forwarding=1",
            "sysctl -w net.ipv4.conf.br-tun1.route_localnet=1",
            "ip addr add 10.2.20.1/24 dev br-tun1");
  }

  @Test
  void aVlanThatLeavesTakesNothingOfTheOther() {
    KernelState both = settled(wish(ONE, TWO), host());
    Plan plan = Plan.between(wish(TWO), both);
    assertThat(plan)
        .hasToString(
            """
            ip addr del 10.1.20.1/24 dev br-tun1
            ip link del fv100000000000
            ip link del flannel.1\
            """);
    assertThat(play(plan, both).link(BRIDGE).orElseThrow().mac()).contains(FIRST);
    assertThat(settled(wish(), both).links()).isEqualTo(host().links());
  }

  @Test
  void theBridgeCarriesTheLargestMtuAndEachPortItsOwn() {
    DesiredVlan jumbo = Wished.with(TWO, TWO.links(), 8950, TWO.endpoints());
    KernelState state = settled(wish(ONE, jumbo), host());
    assertThat(state.link(BRIDGE).orElseThrow().mtu()).isEqualTo(8950);
    assertThat(state.link("fv100000000000").orElseThrow().mtu()).isEqualTo(1450);
    assertThat(state.link("fv200000000000").orElseThrow().mtu()).isEqualTo(8950);
  }

  @Test
  void aPortInAnotherGroupIsPutRightBeforeItComesToItsBridge() {
    KernelState state =
        settled(wish(ONE), host())
            .after(new Change.SetGroup("-", "fv100000000000", Mark.DOOMED_GROUP))
            .after(new Change.SetMaster("-", "fv100000000000", "user0"));
    assertThat(Plan.between(wish(ONE), state))
        .hasToString(
            """
            ip link set fv100000000000 group 1711276033
            ip link set fv100000000000 master br-tun1
            bridge link set dev fv100000000000 hairpin on
            ip link set fv100000000000 type bridge_slave group_fwd_mask 16384\
            """);
  }

  @Test
  void aNamedBridgeOfAnEarlierReleaseIsTakenOverAsItIs() {
    KernelState state =
        settled(wish(ONE), host())
            .after(new Change.SetAlias("-", BRIDGE, "flannelvlan vlan001"))
            .after(new Change.SetGroup("-", "fv100000000000", Mark.GROUP));
    assertThat(Plan.between(wish(ONE), state))
        .hasToString(
            """
            ip link set br-tun1 alias 'flannelvlan bridge/br-tun1'
            ip link set fv100000000000 group 1711276033\
            """);
  }

  @Test
  void aBridgeOfTheUsersIsNeverChangedAndItsAddressesSayWhichAreOurs() {
    DesiredVlan guest = vlan(1, "user0", true);
    KernelState before = host();
    KernelState state = settled(wish(guest), before);
    assertThat(state.link("user0")).isEqualTo(before.link("user0"));
    assertThat(texts(state.addresses()))
        .contains("10.9.0.1/24 dev user0", "10.1.20.1/24 dev user0 label user0:fv");
    assertThat(Plan.between(wish(guest), state).toString()).isEmpty();
    assertThat(Plan.between(wish(), state).toString())
        .contains("ip addr del 10.1.20.1/24 dev user0 label user0:fv", "ip link del fv1")
        .doesNotContain("10.9.0.1", "ip link del user0");
  }

  @Test
  void anAddressThatTheUserGaveHisBridgeHimselfWillDoAndStays() {
    LinkAddress his = new LinkAddress("user0", InterfaceAddress.parse("10.1.20.1/24"));
    KernelState state = host().after(new Change.AddAddress("-", his));
    KernelState settled = settled(wish(vlan(1, "user0", true)), state);
    assertThat(settled.addresses()).contains(his);
    assertThat(settled(wish(), settled).addresses()).contains(his);
  }

  @Test
  void aBridgeOfTheUsersThatIsAwayOrDownIsOneSentenceForEachVlanOnIt() {
    DesiredVlan one = vlan(1, "user0", true);
    DesiredVlan two = vlan(2, "user0", true);
    KernelState away = settled(wish(one, two), host()).after(new Change.DeleteLink("-", "user0"));
    Plan plan = Plan.between(wish(one, two), away);
    assertThat(plan.changes()).isEmpty();
    assertThat(plan.conflicts())
        .extracting(Plan.Conflict::vlan, Plan.Conflict::text)
        .containsExactly(
            tuple(
                "vlan001",
                "bridge user0, which is yours, is not there: make it again (ip link add user0 type"
                    + " bridge)"),
            tuple(
                "vlan002",
                "bridge user0, which is yours, is not there: make it again (ip link add user0 type"
                    + " bridge)"));
    KernelState back =
        away.after(new Change.AddLink("-", link("user0", new KernelLink.Bridge(), false)));
    Plan again = Plan.between(wish(one, two), back);
    assertThat(again.conflicts())
        .extracting(Plan.Conflict::text)
        .containsOnly("bridge user0, which is yours, is down: ip link set user0 up");
    assertThat(again.toString())
        .contains(
            "ip link set fv100000000000 master user0",
            "ip addr add 10.2.20.1/24 dev user0 label user0:fv")
        .doesNotContain("ip link set user0");
  }

  @Test
  void whatAForgottenVlanHasOnASharedBridgeStays() {
    KernelState both = settled(wish(ONE, TWO), host());
    for (Extent extent : List.of(Extent.HAD_BACK, Extent.BEGUN)) {
      Desired known = new Desired(List.of(ONE), FirewallRules.NONE, List.of(), extent, Set.of());
      assertThat(texts(settled(known, both).addresses())).contains("10.2.20.1/24 dev br-tun1");
    }
    Fault fault = new Fault("vlan002", TWO.range(), "odd");
    for (List<DesiredVlan> others : List.of(List.of(ONE), List.<DesiredVlan>of())) {
      Desired hidden =
          new Desired(others, FirewallRules.NONE, List.of(fault), Extent.ALL, Set.of());
      KernelState state = settled(hidden, both);
      assertThat(texts(state.addresses())).contains("10.2.20.1/24 dev br-tun1");
      assertThat(state.link(BRIDGE)).isPresent();
      assertThat(state.link("fv200000000000")).isPresent();
    }
  }

  @Test
  void whichSubnetAVlanHasOnASharedBridgeIsKnownFromTheKernel() {
    KernelState state = settled(wish(ONE, TWO, vlan(3, "user0", true)), host());
    for (int vni = 1; vni <= 3; vni++) {
      assertThat(state.bridgeSubnet(Cidr.parse("10." + vni + ".0.0/16")))
          .contains(Cidr.parse("10." + vni + ".20.0/24"));
    }
    assertThat(state.bridgeSubnet(Cidr.parse("10.9.0.0/16"))).as("the user's own").isEmpty();
    assertThat(state.vlanLinks().keySet())
        .containsExactlyInAnyOrder("vlan001", "vlan002", "vlan003");
    assertThat(state.sharedPorts())
        .contains(
            new KernelState.SharedPort("vlan002", new Vni(2), BRIDGE),
            new KernelState.SharedPort("vlan003", new Vni(3), "user0"));
  }

  /** The laws of {@link PlanTest}, with VLANs that come to shared bridges and leave them. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void anyWalkSettlesAndEndsClean(long seed) {
    Random random = new Random(seed);
    KernelState before = host();
    KernelState state = before;
    for (int step = 0; step < 200; step++) {
      Desired desired = randomDesired(random);
      KernelState settled = settled(desired, state);
      assertThat(foreign(settled)).isEqualTo(foreign(before));
      portsAreInTheirGroups(desired, settled);
      state = accident(random, settled);
    }
    KernelState end = settled(wish(), state);
    assertThat(end.links()).isEqualTo(before.links());
    assertThat(end.addresses()).isEqualTo(before.addresses());
  }

  private static void portsAreInTheirGroups(Desired desired, KernelState state) {
    for (DesiredVlan vlan : desired.vlans()) {
      for (DesiredEndpoint endpoint : vlan.endpoints()) {
        state
            .link(endpoint.hostLink())
            .ifPresent(port -> {
              assertThat(port.group())
                  .isEqualTo(vlan.sharesBridge() ? PortGroup.of(vlan.vni()) : Mark.GROUP);
              assertThat(port.master()).contains(vlan.links().bridge());
            });
      }
      vlan.subnets()
          .forEach(subnet ->
              assertThat(state.addresses())
                  .contains(
                      new LinkAddress(
                          vlan.links().bridge(), subnet.at(1), vlan.links().usersBridge())));
    }
  }

  private static Desired randomDesired(Random random) {
    List<DesiredVlan> vlans = new ArrayList<>();
    for (int vni = 1; vni <= 5; vni++) {
      if (random.nextInt(3) > 0) {
        DesiredVlan vlan = Wished.vlan(vni, random.nextInt(3), random.nextInt(3));
        // A VLAN keeps its bridge for as long as it is there, and may come back to another.
        vlans.add(
            switch (random.nextInt(4)) {
              case 0 -> vlan;
              case 1 -> onBridge(vlan, "user" + vni % 2, true);
              default -> onBridge(vlan, BRIDGE, false);
            });
      }
    }
    return wish(vlans.toArray(new DesiredVlan[0]));
  }

  /** Someone deletes a link of ours or an address, or moves a port, or gives it another group. */
  private static KernelState accident(Random random, KernelState state) {
    List<Change> possible = new ArrayList<>();
    state.links().values().stream()
        .filter(Mark::isOurs)
        .forEach(link -> possible.add(new Change.DeleteLink("-", link.name())));
    state.addresses().stream()
        .filter(state::isOurs)
        .forEach(address -> possible.add(new Change.DeleteAddress("-", address)));
    state.links().values().stream()
        .filter(link -> link.master().isPresent())
        .forEach(port -> {
          possible.add(new Change.SetMaster("-", port.name(), "user0"));
          possible.add(new Change.SetGroup("-", port.name(), Mark.DOOMED_GROUP));
        });
    return possible.isEmpty() ? state : state.after(possible.get(random.nextInt(possible.size())));
  }

  private static Set<String> foreign(KernelState state) {
    Set<String> all = new HashSet<>();
    state.links().values().stream()
        .filter(link -> !Mark.isOurs(link))
        .forEach(link -> all.add(link.toString()));
    state.addresses().stream()
        .filter(address -> !state.isOurs(address))
        .forEach(address -> all.add(address.toString()));
    return all;
  }

  private static Desired wish(DesiredVlan... vlans) {
    return new Desired(List.of(vlans));
  }

  private static DesiredVlan vlan(int vni, String bridge, boolean users) {
    return onBridge(Wished.vlan(vni, 0, 1), bridge, users);
  }

  /** With two bridges of the user's. */
  private static KernelState host() {
    KernelState state =
        KernelState.empty()
            .after(new Change.AddLink("-", link("eth0", new KernelLink.Other(""), true)));
    for (String name : List.of("user0", "user1")) {
      state = state.after(new Change.AddLink("-", link(name, new KernelLink.Bridge(), true)));
      InterfaceAddress address = InterfaceAddress.parse("10.9." + name.charAt(4) + ".1/24");
      state = state.after(new Change.AddAddress("-", new LinkAddress(name, address)));
    }
    return state;
  }

  private static KernelLink link(String name, KernelLink.Kind kind, boolean up) {
    return new KernelLink(name, kind, Optional.empty(), 1500, up, Optional.empty(), "");
  }

  private static Set<String> texts(Set<?> all) {
    return all.stream().map(Object::toString).collect(Collectors.toSet());
  }
}
