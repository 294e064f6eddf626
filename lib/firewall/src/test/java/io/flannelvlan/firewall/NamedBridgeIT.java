package io.flannelvlan.firewall;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Three VLANs on one bridge, the third internal, beside an address and a station of the user's: all
 * is as on bridges of their own. Attacks are tried without the guard too, so that they are known to
 * work.
 */
class NamedBridgeIT {

  private static final String BRIDGE = "br-tun1";
  private static final String A1 = "10.1.20.5";
  private static final MacAddress A1_MAC = mac(A1);
  private static final MacAddress C1_MAC = mac(Testbed.C1);
  private static final MacAddress C2_MAC = mac(Testbed.C2);
  private static final MacAddress STATION_MAC = mac(Testbed.STATION);
  private static final MacAddress UNKNOWN = MacAddress.parse("02:00:00:00:00:99");
  private static final MacAddress LLDP = MacAddress.parse("01:80:c2:00:00:0e");

  /** All on h1's bridge that are not in VLAN 2. */
  private static final List<String> OTHERS = List.of("a1", "i1", "u");

  private static final Frame FLOODED =
      Frame.udp(UNKNOWN, C1_MAC, Testbed.C1, "10.2.20.99", "FENCE");

  private static final Testbed bed = Testbed.sharing(BRIDGE);
  private final Nft nft = new Nft();

  @BeforeEach
  void firewall() {
    bed.bridgeNetfilter("h1", true);
    bed.firewall(nft);
  }

  @AfterAll
  static void close() {
    bed.close();
  }

  @Test
  void everybodyIsReachedAsOnBridgesOfTheirOwn() {
    assertThat(Matrix.of(bed, Client::ping)).isEqualTo(Matrix.EXPECTED);
    assertThat(Matrix.of(bed, (from, to) -> Client.tcp(from, to, EchoServer.PORT)))
        .isEqualTo(Matrix.EXPECTED);
  }

  @Test
  void theSameWithoutBridgeNetfilter() {
    withoutBridgeNetfilter(
        () -> assertThat(Matrix.of(bed, Client::ping)).isEqualTo(Matrix.EXPECTED));
  }

  @Test
  void aStationOfTheUsersIsAsGoodAsAnyOutside() {
    bed.ip("out", "route replace 192.168.5.0/24 via " + Testbed.H1);
    bed.run("h1", "", "iptables-nft", "-P", "FORWARD", "ACCEPT");
    Runnable claims =
        () -> {
          assertThat(ping("u", "192.168.5.1")).isEqualTo("answered");
          assertThat(ping("u", Testbed.OUT)).as("his own traffic").isEqualTo("answered");
          assertThat(ping("a1", Testbed.STATION)).as("from a VLAN").isEqualTo("answered");
          assertThat(tcp("c1", Testbed.STATION)).as("masqueraded").isEqualTo("192.168.5.1");
          assertThat(ping("i1", Testbed.STATION)).as("internal").isEqualTo(Client.NOTHING);
          for (String container : List.of(A1, Testbed.C1, "10.3.20.5")) {
            assertThat(ping("u", container)).as("into a VLAN").isEqualTo(Client.NOTHING);
          }
        };
    try {
      claims.run();
      withoutBridgeNetfilter(claims);
    } finally {
      bed.run("h1", "", "iptables-nft", "-P", "FORWARD", "DROP");
    }
  }

  /** Each is a frame of c1's for someone in another VLAN, or of nobody's. */
  private static Map<String, Frame> trespasses(String text) {
    Map<String, Frame> all = new LinkedHashMap<>();
    all.put(
        "ARP for another VLAN's address",
        Frame.arp(Frame.EVERYBODY, C1_MAC, false, Testbed.C1, A1, text));
    all.put(
        "ARP within the VLAN",
        Frame.arp(Frame.EVERYBODY, C1_MAC, false, Testbed.C1, Testbed.C2, text));
    all.put("a broadcast", Frame.udp(Frame.EVERYBODY, C1_MAC, Testbed.C1, "255.255.255.255", text));
    all.put("to a container", Frame.udp(A1_MAC, C1_MAC, Testbed.C1, A1, text));
    all.put(
        "to the user's station", Frame.udp(STATION_MAC, C1_MAC, Testbed.C1, Testbed.STATION, text));
    all.put("flooded", Frame.udp(UNKNOWN, C1_MAC, Testbed.C1, "10.2.20.99", text));
    all.put("in the name of its VLAN", Frame.udp(A1_MAC, C1_MAC, "10.1.20.77", A1, text));
    all.put("under its MAC", Frame.udp(A1_MAC, UNKNOWN, Testbed.C1, A1, text));
    all.put("with a tag", Frame.tagged(A1_MAC, C1_MAC, Testbed.C1, A1, text));
    all.put("as IPv6", Frame.ipv6(Frame.EVERYBODY, C1_MAC, text));
    return all;
  }

  @Test
  void noFrameOfAVlanReachesAnothersPorts() {
    trespasses("TRESPASS")
        .forEach((what, frame) ->
            assertThat(listeners("c1", frame, OTHERS, "TRESPASS")).as(what).isEmpty());
    assertThat(
            listeners(
                "c1",
                Frame.udp(C2_MAC, C1_MAC, Testbed.C1, Testbed.C2, "GREETING"),
                List.of("c2"),
                "GREETING"))
        .containsExactly("c2");
    withoutGuard();
    trespasses("TRESPASS")
        .forEach((what, frame) ->
            assertThat(listeners("c1", frame, OTHERS, "TRESPASS")).as(what).isNotEmpty());
  }

  @Test
  void noFrameOfTheUsersStationReachesAContainer() {
    Frame frame = Frame.udp(Frame.EVERYBODY, STATION_MAC, Testbed.STATION, A1, "TRESPASS");
    assertThat(listeners("u", frame, List.of("a1", "c1", "i1"), "TRESPASS")).isEmpty();
    withoutGuard();
    assertThat(listeners("u", frame, List.of("a1", "c1", "i1"), "TRESPASS")).hasSize(3);
  }

  @Test
  void theWordOfATranslatedPacketIsOnlyForUsToSay() {
    Frame frame = Frame.udp(A1_MAC, C1_MAC, Testbed.C1, A1, "WORD");
    try (RawLink link = RawLink.open(bed.namespace("c1")).priority(0x6666_0001)) {
      assertThat(listeners(link, frame, OTHERS, "WORD")).isEmpty();
    }
  }

  @Test
  void theBridgeLearnsOnlyWhoIsThere() {
    Map<String, Frame> lies = new LinkedHashMap<>();
    for (MacAddress victim : List.of(A1_MAC, STATION_MAC)) {
      lies.put(
          "in a broadcast from " + victim,
          Frame.udp(Frame.EVERYBODY, victim, Testbed.C1, "255.255.255.255", "LIE"));
      lies.put("to the bridge itself, from " + victim, Frame.ipv6(LLDP, victim, "LIE"));
    }
    lies.forEach((what, frame) -> {
      assertThat(places(frame)).as(what).isEqualTo("va1 vu");
    });
    withoutGuard();
    lies.forEach((what, frame) -> {
      assertThat(places(frame)).as(what).isNotEqualTo("va1 vu");
    });
  }

  @Test
  void theHostLearnsNoNeighborFromWhoIsNot() {
    for (String liar : List.of("c1", "u")) {
      MacAddress his = liar.equals("u") ? STATION_MAC : C1_MAC;
      Frame lie = Frame.arp(hosts(), his, true, A1, "10.1.20.1", "LIE");
      assertThat(neighborAfter(liar, lie)).as(liar).isEqualTo(A1_MAC);
    }
    withoutGuard();
    assertThat(neighborAfter("c1", Frame.arp(hosts(), C1_MAC, true, A1, "10.1.20.1", "LIE")))
        .isEqualTo(C1_MAC);
  }

  @Test
  void theGatewaysQuestionsAreHeardInTheirVlanAlone() {
    List<String> all = List.of("a1", "c1", "i1", "u");
    assertThat(whoHearsTheHostAskFor("10.2.20.88", all)).containsExactly("c1");
    withoutGuard();
    assertThat(whoHearsTheHostAskFor("10.2.20.89", all)).containsExactlyElementsOf(all);
  }

  @Test
  void publishedPortsAreReachedAsOnBridgesOfTheirOwn() {
    Testbed other = Testbed.sharing(BRIDGE);
    try (other) {
      PortCases.publish(other, new Nft());
      PortCases.checkTcp(other);
      PortCases.checkUdp(other);
      other.bridgeNetfilter("h1", false);
      PortCases.checkTcp(other);
    }
  }

  @Test
  void aVlanBehindAFenceIsAloneOnTheBridge() {
    for (List<String> fenced :
        List.of(List.of("vlan002"), List.of("vlan001"), List.of("vlan001", "vlan002"))) {
      fence(fenced);
      String text = "fenced " + fenced;
      for (String target : List.of(Testbed.C2, Testbed.D, "10.2.20.1")) {
        assertThat(ping("c1", target)).as(text).isEqualTo("answered");
      }
      assertThat(ping("a1", "10.1.30.5")).as(text).isEqualTo("answered");
      assertThat(ping("b", A1)).as(text).isEqualTo("answered");
      assertThat(who(List.of("a1", "i1", "k", "u", "rogue", "out", "b"), Testbed.C1))
          .as(text)
          .isEmpty();
      assertThat(who(List.of("c1", "i1", "k", "u", "rogue", "out", "d"), A1)).as(text).isEmpty();
      String open = fenced.contains("vlan002") ? Client.NOTHING : "answered";
      assertThat(ping("c1", Testbed.OUT)).as(text).isEqualTo(open);
      assertThat(listeners("c1", FLOODED, OTHERS, "FENCE")).isEmpty();
    }
  }

  @Test
  void portsThatNoRuleKnowsReachNobody() {
    FirewallRules rules =
        new FirewallRules(
            List.of(), List.of(), Set.of(), List.of(), List.of(new NamedBridge(BRIDGE)));
    bed.apply("h1", nft, rules);
    for (String target : List.of(Testbed.C2, A1, "10.2.20.1", Testbed.OUT)) {
      assertThat(ping("c1", target)).as(target).isEqualTo(Client.NOTHING);
    }
    assertThat(bed.namespace("h1").in(() -> nft.apply(FirewallRules.NONE))).isTrue();
    assertThat(bed.run("h1", "", "nft", "list", "ruleset")).doesNotContain("flannelvlan");
  }

  @Test
  void damageToEitherTableIsSeen() {
    for (String family : List.of("inet", "bridge")) {
      assertThat(current()).isTrue();
      bed.run("h1", "", "nft", "delete", "table", family, NftTable.NAME);
      assertThat(current()).as(family).isFalse();
      bed.firewall(nft);
    }
    bed.run("h1", "", "nft", "flush", "chain", "bridge", NftTable.NAME, "forward");
    assertThat(current()).isFalse();
  }

  private boolean current() {
    return bed.namespace("h1").in(() -> nft.isCurrent(bed.rulesOfH1()));
  }

  private void fence(List<String> fenced) {
    FirewallRules known = bed.rulesOfH1();
    List<NamedBridge.Member> members = new ArrayList<>();
    known
        .members()
        .forEach(member ->
            members.add(
                fenced.contains(member.vlan())
                    ? new NamedBridge.Member(
                        member.vlan(), member.vni(), member.subnets(), Optional.empty())
                    : member));
    List<VlanRules> rules =
        known.vlans().stream().filter(vlan -> !fenced.contains(vlan.name())).toList();
    List<Fence> fences =
        known.vlans().stream()
            .filter(vlan -> fenced.contains(vlan.name()))
            .map(vlan -> new Fence(vlan.name(), Set.of(), Set.of(vlan.vxlan())))
            .toList();
    bed.apply(
        "h1",
        nft,
        new FirewallRules(
            rules,
            List.of(),
            Set.of("docker0"),
            fences,
            List.of(new NamedBridge(BRIDGE, members))));
  }

  /** Nor with br_netfilter, by which the table for packets sees frames too. */
  private static void withoutGuard() {
    bed.bridgeNetfilter("h1", false);
    bed.run("h1", "", "nft", "delete", "table", "bridge", NftTable.NAME);
  }

  private static void withoutBridgeNetfilter(Runnable claims) {
    bed.bridgeNetfilter("h1", false);
    try {
      claims.run();
    } finally {
      bed.bridgeNetfilter("h1", true);
    }
  }

  private static List<String> listeners(
      String from, Frame frame, List<String> candidates, String text) {
    try (RawLink link = RawLink.open(bed.namespace(from))) {
      return listeners(link, frame, candidates, text);
    }
  }

  private static List<String> listeners(
      RawLink from, Frame frame, List<String> candidates, String text) {
    return who(candidates, text, () -> from.send(frame));
  }

  /** Who sees a frame with that text; what comes to a link comes in order. */
  private static List<String> who(List<String> candidates, String text, Runnable deed) {
    Map<String, RawLink> links = new LinkedHashMap<>();
    try {
      candidates.forEach(name -> links.put(name, RawLink.open(bed.namespace(name))));
      deed.run();
      List<String> seen = new ArrayList<>();
      links.forEach((name, link) -> {
        // Comes behind the frame.
        ping("h1", address(name));
        if (link.received().stream().anyMatch(frame -> frame.contains(text))) {
          seen.add(name);
        }
      });
      return seen;
    } finally {
      links.values().forEach(RawLink::close);
    }
  }

  private static List<String> whoHearsTheHostAskFor(String nobody, List<String> candidates) {
    String asked = new String(IpAddress.parse(nobody).bytes(), StandardCharsets.ISO_8859_1);
    return who(candidates, asked, () -> ping("h1", nobody));
  }

  /** Where the bridge sends what is for a1 and for the station, once it has seen the frame. */
  private static String places(Frame lie) {
    // They tell the bridge where they are.
    ping("h1", A1);
    ping("h1", Testbed.STATION);
    try (RawLink link = RawLink.open(bed.namespace("c1"))) {
      link.send(lie);
      ping("h1", Testbed.C1);
    }
    return place(A1_MAC) + " " + place(STATION_MAC);
  }

  private static String place(MacAddress mac) {
    return bed.run("h1", "", "bridge", "fdb", "show", "br", BRIDGE)
        .lines()
        .filter(line -> line.startsWith(mac + " dev "))
        .map(line -> line.split(" ", -1)[2])
        .findFirst()
        .orElse("?");
  }

  private static MacAddress neighborAfter(String liar, Frame lie) {
    // An entry that came within the last second would not be overwritten.
    bed.sysctl("h1", "ipv4/neigh/" + BRIDGE + "/locktime", "0");
    bed.ip("h1", "neigh replace " + A1 + " lladdr " + A1_MAC + " dev " + BRIDGE + " nud stale");
    try (RawLink link = RawLink.open(bed.namespace(liar))) {
      link.send(lie);
      ping("h1", address(liar));
    }
    String shown = bed.run("h1", "", "ip", "neigh", "show", A1, "dev", BRIDGE);
    return MacAddress.parse(shown.split("lladdr ", -1)[1].split(" ", -1)[0]);
  }

  private static MacAddress hosts() {
    String shown = bed.run("h1", "", "ip", "-o", "link", "show", BRIDGE);
    return MacAddress.parse(shown.split("link/ether ", -1)[1].split(" ", -1)[0]);
  }

  private static String address(String name) {
    return name.equals("u")
        ? Testbed.STATION
        : Testbed.NODES.stream()
            .filter(node -> node.name().equals(name))
            .findFirst()
            .orElseThrow()
            .address();
  }

  /** Who is answered, all asked at once. */
  private static List<String> who(List<String> from, String target) {
    Map<String, FutureTask<String>> pings = new LinkedHashMap<>();
    from.forEach(name -> pings.put(name, Client.ping(bed.namespace(name), target)));
    return pings.entrySet().stream()
        .filter(ping -> !Netns.result(ping.getValue()).equals(Client.NOTHING))
        .map(Map.Entry::getKey)
        .toList();
  }

  private static String ping(String from, String target) {
    return Netns.result(Client.ping(bed.namespace(from), target));
  }

  private static String tcp(String from, String target) {
    return Netns.result(Client.tcp(bed.namespace(from), target, EchoServer.PORT));
  }

  private static MacAddress mac(String address) {
    return MacAddress.ofEndpoint(IpAddress.parse(address));
  }
}
