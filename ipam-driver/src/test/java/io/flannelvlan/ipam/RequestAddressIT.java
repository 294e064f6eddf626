package io.flannelvlan.ipam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RequestAddressIT {

  private static final TestingEtcd SERVER = TestingEtcd.started();
  private static final Etcd ETCD = SERVER.client();
  private static final String RANGE = "10.2.0.0/16";

  /** Seven /28 subnets, of 13 addresses each. */
  private static final String SMALL = "10.3.0.0/25";

  private static final int IN_SMALL = 13;

  @TempDir Path state;
  private TestingHost host;

  @BeforeEach
  void start() {
    SERVER.ctl("del", "", "--from-key=true");
    host = new TestingHost(ETCD, state.resolve("11"), 11);
  }

  @AfterEach
  void stop() {
    host.close();
  }

  @AfterAll
  static void end() {
    ETCD.close();
    SERVER.close();
  }

  @Test
  void containersGetTheLeasesAddressesInTurnAndEtcdShowsThem() {
    join20(host);
    assertThat(host.request(RANGE)).isEqualTo(InterfaceAddress.parse("10.2.20.2/24"));
    assertThat(host.request(RANGE)).isEqualTo(InterfaceAddress.parse("10.2.20.3/24"));
    assertThat(SERVER.ctl("get", "/flannelvlan/addresses/vlan002/10.2.20.3", "--print-value-only"))
        .startsWith("{\"host\":\"198.51.100.11\",\"since\":\"20");
  }

  @Test
  void theGatewayIsTheLeasesFirstAddressAndNoOther() {
    join20(host);
    assertThat(host.gateway(RANGE, "10.2.20.1")).isEqualTo(InterfaceAddress.parse("10.2.20.1/24"));
    assertThatThrownBy(() -> host.gateway(RANGE, "10.2.0.1"))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("--gateway 10.2.0.1 can't be")
        .hasMessageContaining("10.2.20.1/24 here");
    host.release(RANGE, IpAddress.parse("10.2.20.1"));
    assertThat(host.request(RANGE)).isEqualTo(InterfaceAddress.parse("10.2.20.2/24"));
  }

  @Test
  void aFixedAddressIsTakenOnceAndTheRefusalSaysSinceWhen() {
    join20(host);
    assertThat(host.request(RANGE, "10.2.20.7")).isEqualTo(InterfaceAddress.parse("10.2.20.7/24"));
    assertThatThrownBy(() -> host.request(RANGE, "10.2.20.7"))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("10.2.20.7 is in use since 20");
    for (String never : List.of("10.2.20.0", "10.2.20.1", "10.2.20.255")) {
      assertThatThrownBy(() -> host.request(RANGE, never))
          .isInstanceOf(Refused.class)
          .hasMessageContaining(never + " can't be a container's");
    }
  }

  @Test
  void aFixedAddressOutsideTheLeaseNamesTheHostThatHasIt() {
    join20(host);
    try (TestingHost other = new TestingHost(ETCD, state.resolve("12"), 12)) {
      other.pool(RANGE, "10.2.30.0/24");
      other.createNetwork(RANGE, 2, 24);
      Waiting.until(
          "the other host's lease is seen",
          Duration.ofSeconds(10),
          () -> host.vlans.leases("vlan002").filter(l -> l.bySubnet().size() == 2).isPresent());
      assertThatThrownBy(() -> host.request(RANGE, "10.2.30.9"))
          .isInstanceOf(Refused.class)
          .hasMessageContaining("10.2.30.9 lies in 10.2.30.0/24, the subnet of host 198.51.100.12")
          .hasMessageContaining("this host has 10.2.20.0/24");
      assertThatThrownBy(() -> host.request(RANGE, "10.2.99.9"))
          .isInstanceOf(Refused.class)
          .hasMessageContaining("a subnet that no host has");
    }
  }

  @Test
  void aContainerThatRestartsHasItsFixedAddressAgainAtOnce() {
    join20(host);
    for (int i = 0; i < 200; i++) {
      assertThat(host.request(RANGE, "10.2.20.7").address())
          .isEqualTo(IpAddress.parse("10.2.20.7"));
      host.release(RANGE, IpAddress.parse("10.2.20.7"));
    }
    host.request(RANGE, "10.2.20.7");
    Waiting.until(
        "etcd shows the last one",
        Duration.ofSeconds(10),
        () -> addressesInEtcd("vlan002").equals(Set.of("10.2.20.7")));
  }

  @Test
  void anAddressComesBackOnlyWhenAllOthersWereUsed() {
    host.createSmallNetwork(SMALL, 3, 28);
    IpAddress first = host.request(SMALL).address();
    host.release(SMALL, first);
    host.release(SMALL, first);
    for (int i = 1; i < IN_SMALL; i++) {
      assertThat(host.request(SMALL).address()).isNotEqualTo(first);
    }
    assertThat(host.request(SMALL).address()).isEqualTo(first);
    assertThat(host.vlans.byName("vlan003").orElseThrow().subnets()).hasSize(1);
  }

  @Test
  void aFullLeaseTakesASecondOneThatPeersSee() {
    HostVlan vlan = host.createSmallNetwork(SMALL, 3, 28);
    fill(IN_SMALL);
    InterfaceAddress further = host.request(SMALL);
    HostVlan wider = host.vlans.byName("vlan003").orElseThrow();
    assertThat(wider.subnets()).hasSize(2).startsWith(vlan.subnets().getFirst());
    assertThat(further.subnet()).isEqualTo(wider.subnets().get(1));
    assertThat(host.store.leases(vlan.vlan()).of(host.address)).hasSize(2);
    assertThat(host.pool(SMALL, "").gateway()).contains(vlan.subnets().getFirst().at(1));
  }

  @Test
  void manyThatFindTheLeaseFullTakeOneMoreTogether() throws Exception {
    host.createSmallNetwork(SMALL, 3, 28);
    fill(IN_SMALL);
    List<InterfaceAddress> all = Together.run(IN_SMALL, i -> host.request(SMALL));
    assertThat(all).doesNotHaveDuplicates().hasSize(IN_SMALL);
    assertThat(host.vlans.byName("vlan003").orElseThrow().subnets()).hasSize(2);
  }

  @Test
  void aFullVlanSaysWhoHasHowMuch() {
    host.createSmallNetwork(SMALL, 3, 28);
    try (TestingHost other = new TestingHost(ETCD, state.resolve("12"), 12)) {
      other.createNetwork(SMALL, 3, 28);
      Waiting.until(
          "the other host's lease is seen",
          Duration.ofSeconds(10),
          () -> host.vlans.leases("vlan003").filter(l -> l.bySubnet().size() == 2).isPresent());
      fill(6 * IN_SMALL);
      Waiting.until(
          "all leases are seen",
          Duration.ofSeconds(10),
          () -> host.vlans.leases("vlan003").filter(l -> l.bySubnet().size() == 7).isPresent());
      other.request(SMALL);
      assertThatThrownBy(() -> host.request(SMALL))
          .isInstanceOf(Refused.class)
          .hasMessageContaining("no address is free on this host in VLAN vlan003")
          .hasMessageContaining("13 of 13 in ")
          .hasMessageContaining(
              "host 198.51.100.11 holds 78 addresses in 6 subnets,"
                  + " host 198.51.100.12 holds 1 address in 1 subnet. Remove containers");
    }
  }

  @Test
  void aSubnetThatAnotherHostClaimsTooGivesNoAddressUntilThatClaimIsGone() {
    join20(host);
    HostVlan vlan = host.vlans.byName("vlan002").orElseThrow();
    IpAddress before = host.request(RANGE).address();
    String key = "/coreos.com/network/vlan002/subnets/10.2.20.0-24";
    String ours = ETCD.get(key).orElseThrow().value();
    String theirs = ours.replace(host.address.toString(), "198.51.100.12");
    ETCD.put(key, theirs);
    Cidr subnet = vlan.subnets().getFirst();
    Waiting.until(
        "the claim is seen",
        Duration.ofSeconds(10),
        () -> host.vlans.rivalOf(vlan, subnet).isPresent());

    InterfaceAddress elsewhere = host.request(RANGE);
    assertThat(elsewhere.subnet()).isNotEqualTo(subnet);
    assertThatThrownBy(() -> host.request(RANGE, "10.2.20.99"))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("10.2.20.99 can't be given out now")
        .hasMessageContaining("host 198.51.100.12 has its subnet 10.2.20.0/24");
    assertThat(host.addresses.get(before)).isPresent();
    assertThat(ETCD.get(key).orElseThrow().value()).isEqualTo(theirs);

    ETCD.delete(key);
    Waiting.until(
        "it is ours again",
        Duration.ofSeconds(10),
        () -> ETCD.get(key).filter(kv -> kv.value().equals(ours)).isPresent());
    Waiting.until(
        "that is seen", Duration.ofSeconds(10), () -> host.vlans.rivalOf(vlan, subnet).isEmpty());
    assertThat(host.request(RANGE, "10.2.20.99").subnet()).isEqualTo(subnet);
  }

  @Test
  void anIpRangeThatIsFullTakesNoFurtherLease() {
    host.pool(RANGE, "10.2.20.64/30");
    host.createNetwork(RANGE, 2, 24);
    Set<String> all =
        IntStream.range(0, 4)
            .mapToObj(i -> host.request(RANGE).toString())
            .collect(Collectors.toSet());
    assertThat(all).hasSize(4).contains("10.2.20.64/24", "10.2.20.67/24");
    assertThatThrownBy(() -> host.request(RANGE))
        .isInstanceOf(Refused.class)
        .hasMessageStartingWith(
            "no address is free in --ip-range 10.2.20.64/30 of VLAN vlan002 (4 of 253 in")
        .hasMessageContaining("a larger --ip-range");
    assertThat(host.vlans.byName("vlan002").orElseThrow().subnets()).hasSize(1);
  }

  @Test
  void anIpRangeHoldsForAllOfTheVlanUntilAnotherIsGiven() {
    host.pool(RANGE, "10.2.20.128/25");
    // A CNI runtime's, before dockerd's CreateNetwork, and after it.
    assertThat(host.pool(RANGE, "").gateway()).contains(InterfaceAddress.parse("10.2.20.1/24"));
    host.createNetwork(RANGE, 2, 24);
    host.pool(RANGE, "", Map.of("network", "vlan002"));
    assertThat(host.request(RANGE)).isEqualTo(InterfaceAddress.parse("10.2.20.128/24"));
    restart();
    host.pool(RANGE, "");
    assertThat(host.request(RANGE)).isEqualTo(InterfaceAddress.parse("10.2.20.129/24"));

    // A second network with a range of its own: the last one given holds, for both.
    host.pool(RANGE, "10.2.20.64/26");
    assertThat(host.request(RANGE)).isEqualTo(InterfaceAddress.parse("10.2.20.64/24"));
    // The whole subnet sets free.
    host.pool(RANGE, "10.2.20.0/24");
    assertThat(host.request(RANGE)).isEqualTo(InterfaceAddress.parse("10.2.20.2/24"));
  }

  @Test
  void anIpRangeIsForgottenWithItsPool() {
    host.pool(RANGE, "10.2.20.128/25");
    host.releasePool("flannelvlan/" + RANGE);
    host.createNetwork(RANGE, 2, 24);
    assertThat(host.request(RANGE)).isEqualTo(InterfaceAddress.parse("10.2.20.2/24"));
  }

  private void restart() {
    host.close();
    host = new TestingHost(ETCD, state.resolve("11"), 11);
  }

  @Test
  void unknownPoolsAreRefusedAndTheirReleasesAreNoError() {
    assertThatThrownBy(() -> host.request("10.66.0.0/16"))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("pool flannelvlan/10.66.0.0/16 is unknown to this host");
    host.release("10.66.0.0/16", IpAddress.parse("10.66.0.5"));
    host.pool(RANGE, "");
    assertThatThrownBy(() -> host.request(RANGE))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("has no flannelvlan network yet");
  }

  @Test
  void auxiliaryAddressesOfANetworkThatComesReachEtcdWithIt() {
    host.pool(RANGE, "10.2.20.0/24");
    host.request(RANGE, "10.2.20.200");
    assertThat(addressesInEtcd("vlan002")).isEmpty();
    host.createNetwork(RANGE, 2, 24);
    Waiting.until(
        "the auxiliary address is in etcd",
        Duration.ofSeconds(10),
        () -> addressesInEtcd("vlan002").equals(Set.of("10.2.20.200")));
  }

  @Test
  void anAddressThatEtcdSaysIsAnothersIsPassedOver() {
    join20(host);
    // Of a host that has an address the mirror would remove the keys at any moment.
    SERVER.ctl("put", "/flannelvlan/addresses/vlan002/10.2.20.2", "{\"host\":\"printer\"}");
    SERVER.ctl("put", "/flannelvlan/addresses/vlan002/10.2.20.3", "rubbish");
    assertThat(host.request(RANGE)).isEqualTo(InterfaceAddress.parse("10.2.20.4/24"));
    SERVER.ctl("put", "/flannelvlan/addresses/vlan002/10.2.20.9", "{\"host\":\"printer\"}");
    assertThatThrownBy(() -> host.request(RANGE, "10.2.20.9"))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("10.2.20.9 is held by host printer");
  }

  private void fill(int addresses) {
    for (int i = 0; i < addresses; i++) {
      host.request(SMALL);
    }
  }

  private static void join20(TestingHost host) {
    host.pool(RANGE, "10.2.20.0/24");
    HostVlan vlan = host.createNetwork(RANGE, 2, 24);
    assertThat(vlan.subnets()).containsExactly(Cidr.parse("10.2.20.0/24"));
  }

  private static Set<String> addressesInEtcd(String vlan) {
    String prefix = "/flannelvlan/addresses/" + vlan + "/";
    return ETCD.range(prefix).entries().keySet().stream()
        .map(key -> key.substring(prefix.length()))
        .collect(Collectors.toSet());
  }
}
