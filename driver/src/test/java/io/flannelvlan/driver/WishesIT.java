package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.flannelvlan.driver.Endpoint.State;
import io.flannelvlan.driver.kernel.Desired;
import io.flannelvlan.driver.kernel.Desired.DesiredEndpoint;
import io.flannelvlan.driver.kernel.Desired.DesiredVlan;
import io.flannelvlan.driver.kernel.Desired.Peer;
import io.flannelvlan.driver.kernel.KernelLink;
import io.flannelvlan.driver.kernel.KernelRoute;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.driver.kernel.LinkFdb;
import io.flannelvlan.driver.kernel.LinkNeighbor;
import io.flannelvlan.driver.kernel.Plan;
import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.firewall.Protocol;
import io.flannelvlan.firewall.PublishedPort;
import io.flannelvlan.firewall.VlanRules;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.SubnetLayout;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.Vxlan;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the kernel and the firewall should hold, from records and from what etcd shows. */
class WishesIT {

  private static final TestingEtcd SERVER = TestingEtcd.started();
  private static final Etcd ETCD = SERVER.client();
  private static final HostPort WEB = new HostPort(Protocol.TCP, Optional.empty(), 8080, 80);

  private static final Cidr LATE = Cidr.parse("10.2.88.0/24");
  private static final IpAddress LATE_HOST = IpAddress.parse("198.51.100.12");
  private static final MacAddress LATE_MAC = MacAddress.parse("5e:f6:85:9e:7c:cf");

  @TempDir Path state;
  private TestingDriver driver;

  @BeforeEach
  void start() {
    SERVER.ctl("del", "", "--from-key=true");
    TestingDriver.record(
        state,
        List.of(Records.network("vlan002", false), Records.network("vlan003", false)),
        List.of(
            Records.links("vlan002", 1450, "fvbr.2", false),
            Records.links("vlan003", 1400, "br-0123456789ab", true),
            Records.links("vlan009", 1450, "fvbr.9", false)),
        List.of(
            Records.endpoint("a", "vlan002", State.CREATED),
            Records.endpoint("b", "vlan002", State.JOINED, WEB),
            Records.endpoint("c", "vlan002", State.LEFT),
            Records.endpoint("d", "gone", State.JOINED, WEB)));
    driver = new TestingDriver(ETCD, state);
  }

  @AfterEach
  void stop() {
    driver.close();
  }

  @AfterAll
  static void end() {
    ETCD.close();
    SERVER.close();
  }

  @Test
  void aVlanHasItsLinksItsLeaseAndItsEndpoints() {
    HostVlan joined = join("vlan002", 2, false);
    DesiredVlan vlan = vlan(desired(), "vlan002");
    assertThat(vlan.range()).isEqualTo(Cidr.parse("10.2.0.0/16"));
    assertThat(vlan.subnets()).containsExactly(Cidr.parse("10.2.20.0/24"));
    assertThat(vlan.mtu()).isEqualTo(1450);
    assertThat(vlan.links().bridge()).isEqualTo("fvbr.2");
    assertThat(vlan.links().vxlan()).isEqualTo("flannel.2");
    assertThat(vlan.links().vxlanMac()).isEqualTo(joined.vtepMac());
    assertThat(vlan.links().tunnel())
        .hasToString("vxlan id 2 dev eth0 local 198.51.100.11 dstport 8472 nolearning");
    assertThat(vlan.endpoints())
        .extracting(DesiredEndpoint::hostLink, DesiredEndpoint::joined)
        .containsExactlyInAnyOrder(tuple("fva", false), tuple("fvb", true));
  }

  @Test
  void whatIsHadBackWhileWishesAreReadIsAmongThoseThatAreWhole() {
    join("vlan002", 2, false);
    Supplier<Desired.Extent> allIsHadBackNow =
        () -> {
          driver.endpoints.takeOver(Records.endpoint("e", "vlan002", State.JOINED));
          return Desired.Extent.ALL;
        };
    Desired desired = wishes(allIsHadBackNow).desired(host());
    assertThat(desired.extent()).isEqualTo(Desired.Extent.ALL);
    assertThat(vlan(desired, "vlan002").endpoints())
        .extracting(DesiredEndpoint::hostLink)
        .contains("fve");
  }

  @Test
  void aVlanThatThisHostIsNotInIsNotWished() {
    assertThat(desired()).isEqualTo(new Desired(List.of()));
    join("vlan002", 2, false);
    assertThat(desired().vlans()).extracting(DesiredVlan::name).containsExactly("vlan002");
  }

  @Test
  void onlyOtherHostsSaneLeasesArePeers() {
    HostVlan joined = join("vlan002", 2, false);
    lease("10.2.88.0-24", "198.51.100.12", "vxlan");
    lease("10.2.21.0-24", joined.publicAddress().toString(), "vxlan"); // our own, not in use
    lease("10.2.20.128-25", "198.51.100.13", "vxlan"); // inside our subnet
    lease("10.2.16.0-20", "198.51.100.13", "vxlan"); // around our subnet
    lease("10.9.0.0-24", "198.51.100.13", "vxlan"); // not of this VLAN
    lease("10.2.90.0-24", "198.51.100.14", "host-gw"); // no tunnel there
    lease("10.2.91.0-24", "198.51.100.15", "vxlan");
    awaitLeases(8);
    assertThat(vlan(desired(), "vlan002").peers().orElseThrow())
        .extracting(peer -> peer.subnet().toString())
        .containsExactly("10.2.88.0/24", "10.2.91.0/24");
  }

  @Test
  void aPeerIsReachedDirectlyOnlyIfTheVlanSaysSoAndNoGatewayLiesBetween() {
    join("vlan002", 2, true);
    lease("10.2.88.0-24", "198.51.100.12", "vxlan");
    lease("10.2.89.0-24", "203.0.113.12", "vxlan");
    awaitLeases(3);
    assertThat(vlan(desired(), "vlan002").peers().orElseThrow())
        .extracting(Peer::direct)
        .containsExactly(true, false);
  }

  @Test
  void withoutDirectRoutingNoPeerIsDirect() {
    join("vlan002", 2, false);
    lease("10.2.88.0-24", "198.51.100.12", "vxlan");
    awaitLeases(2);
    assertThat(vlan(desired(), "vlan002").peers().orElseThrow())
        .extracting(Peer::direct)
        .containsExactly(false);
  }

  @Test
  void peersAreUnknownAsLongAsEtcdHasNotShownThem() {
    join("vlan002", 2, false);
    driver.close();
    TestingDriver.forgetPeers(state, "vlan002");
    SERVER.stop();
    Waiting.until("etcd is known to be away", Duration.ofSeconds(15), () -> !ETCD.isReachable());
    driver = new TestingDriver(ETCD, state);
    try {
      assertThat(vlan(desired(), "vlan002").peers()).isEmpty();
    } finally {
      SERVER.start();
      Waiting.until("etcd is known to be back", Duration.ofSeconds(15), ETCD::isReachable);
    }
    awaitLeases(1);
    assertThat(vlan(desired(), "vlan002").peers()).contains(List.of());
  }

  /** Killed less than two seconds after the peer came, beside an etcd that went away. */
  @Test
  void aPeerThatCameSinceTheJournalWasWrittenStaysUntilEtcdHasShownItsLeases() {
    join("vlan002", 2, false);
    awaitLeases(1);
    Waiting.until(
        "the journal has the peers",
        Duration.ofSeconds(15),
        () -> text(state.resolve("journal")).contains("\"peers\""));
    driver.close();
    SERVER.stop();
    Waiting.until("etcd is known to be away", Duration.ofSeconds(15), () -> !ETCD.isReachable());
    driver = new TestingDriver(ETCD, state);
    try {
      assertThat(peersBesideOneThatStands())
          .containsExactly(new Peer(LATE, LATE_HOST, LATE_MAC, false));
    } finally {
      SERVER.start();
      Waiting.until("etcd is known to be back", Duration.ofSeconds(15), ETCD::isReachable);
    }
    awaitLeases(1);
    assertThat(peersBesideOneThatStands()).isEmpty();
  }

  private List<Peer> peersBesideOneThatStands() {
    KernelRoute route = new KernelRoute(LATE, Optional.of(LATE.base()), "flannel.2", true, 241);
    KernelState kernel =
        new KernelState(
            host().links(),
            Set.of(),
            Set.of(new LinkNeighbor("flannel.2", LATE.base(), LATE_MAC)),
            Set.of(new LinkFdb("flannel.2", LATE_MAC, LATE_HOST)),
            Set.of(route),
            Set.of());
    Desired wished = wishes(driver.lost::extent).desired(kernel);
    return vlan(wished, "vlan002").peers().orElseThrow();
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void theFirewallGetsPortsOfOurVlansAndTheBridgesThatAreDockersOnly() {
    join("vlan002", 2, false);
    join("vlan003", 3, false);
    Desired desired = desired();
    assertThat(desired.firewall().dockerLinks())
        .containsExactlyInAnyOrder("docker0", "br-aaaaaaaaaaaa");
    assertThat(desired.firewall().ports())
        .containsExactly(
            new PublishedPort(
                Protocol.TCP,
                Optional.empty(),
                8080,
                driver.endpoints.require("b").address().address(),
                80,
                "vlan002"));
    assertThat(desired.firewall().vlans())
        .extracting(VlanRules::name, VlanRules::internal, VlanRules::masquerade)
        .containsExactly(tuple("vlan002", false, true), tuple("vlan003", true, true));
  }

  @Test
  void aPortThatTheFirewallCantHoldIsLeftOutAndSaid() {
    driver.close();
    // Its address is none of its VLAN's.
    Endpoint stray =
        Records.endpoint(
            "e", "vlan003", State.JOINED, new HostPort(Protocol.TCP, Optional.empty(), 8081, 80));
    TestingDriver.record(state, List.of(), List.of(), List.of(stray));
    driver = new TestingDriver(ETCD, state);
    join("vlan002", 2, false);
    join("vlan003", 3, false);
    Desired desired = desired();
    assertThat(desired.vlans())
        .extracting(DesiredVlan::name)
        .containsExactlyInAnyOrder("vlan002", "vlan003");
    assertThat(desired.firewall().vlans())
        .extracting(VlanRules::name)
        .containsExactly("vlan002", "vlan003");
    assertThat(desired.firewall().ports())
        .extracting(PublishedPort::hostPort)
        .containsExactly(8080);
    assertThat(desired.faults())
        .singleElement()
        .matches(fault -> fault.vlan().equals("vlan003") && fault.reason().contains("8081"));
  }

  @Test
  void aVlanThatTheFirewallCantHoldIsNotMadeAndNotTakenDownAndTheOthersAreServed() {
    driver.close();
    // The bridge of another VLAN.
    VlanLinks twice = Records.links("vlan003", 1400, "fvbr.2", true);
    TestingDriver.record(state, List.of(), List.of(twice), List.of());
    driver = new TestingDriver(ETCD, state);
    join("vlan002", 2, false);
    join("vlan003", 3, false);
    Desired desired = desired();
    assertThat(desired.vlans()).hasSize(1);
    assertThat(desired.firewall().vlans()).hasSize(1);
    assertThat(desired.faults())
        .singleElement()
        .matches(fault -> fault.reason().contains("belongs to another network too"));
    String hidden = desired.faults().getFirst().vlan();
    KernelLink standing =
        new KernelLink(
            "fvbr.77",
            new KernelLink.Bridge(),
            Optional.empty(),
            1450,
            true,
            Optional.empty(),
            "flannelvlan " + hidden);
    KernelState state =
        new KernelState(
            Map.of(standing.name(), standing), Set.of(), Set.of(), Set.of(), Set.of(), Set.of());
    assertThat(Plan.between(desired, state).toString()).doesNotContain("fvbr.77");
  }

  private HostVlan join(String name, int vni, boolean direct) {
    NetworkConfig config =
        new NetworkConfig(
            SubnetLayout.of(Cidr.parse("10." + vni + ".0.0/16")),
            new Vxlan(new Vni(vni), 8472, OptionalInt.empty(), false, false, direct));
    Vlan vlan = driver.store.create(name, config);
    return driver.vlans.join(vlan, Cidr.parse("10." + vni + ".20.0/24"), TestingDriver.HERE);
  }

  private static void lease(String subnet, String host, String backend) {
    ETCD.put(
        "/coreos.com/network/vlan002/subnets/" + subnet,
        "{\"PublicIP\":\""
            + host
            + "\",\"BackendType\":\""
            + backend
            + "\",\"BackendData\":{\"VNI\":2,\"VtepMAC\":\"5e:f6:85:9e:7c:cf\"}}");
  }

  private void awaitLeases(int count) {
    Waiting.until(
        count + " leases are seen",
        Duration.ofSeconds(15),
        () -> driver.vlans.leases("vlan002").filter(l -> l.bySubnet().size() == count).isPresent());
  }

  private Wishes wishes(Supplier<Desired.Extent> extent) {
    return new Wishes(
        driver.vlans, driver.networks, driver.endpoints, driver.bridges, extent, true);
  }

  private Desired desired() {
    return wishes(driver.lost::extent).desired(host());
  }

  /** A host on 198.51.100.0/24 with bridges of Docker's. */
  private static KernelState host() {
    Map<String, KernelLink> links = new HashMap<>();
    for (String name : List.of("docker0", "br-aaaaaaaaaaaa", "br-0123456789ab", "br-mine")) {
      links.put(
          name,
          new KernelLink(
              name, new KernelLink.Bridge(), Optional.empty(), 1500, true, Optional.empty(), ""));
    }
    KernelRoute lan =
        new KernelRoute(Cidr.parse("198.51.100.0/24"), Optional.empty(), "eth0", false, 2);
    KernelRoute out =
        new KernelRoute(
            Cidr.parse("0.0.0.0/0"),
            Optional.of(IpAddress.parse("198.51.100.1")),
            "eth0",
            false,
            4);
    return new KernelState(links, Set.of(), Set.of(), Set.of(), Set.of(lan, out), Set.of());
  }

  private static DesiredVlan vlan(Desired desired, String name) {
    return desired.vlans().stream().filter(v -> v.name().equals(name)).findFirst().orElseThrow();
  }
}
