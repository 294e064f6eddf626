package io.flannelvlan.ipam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.dockerplugin.IpamApi.RequestPoolRequest;
import io.flannelvlan.dockerplugin.IpamApi.RequestPoolResponse;
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
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RequestPoolIT {

  private static final TestingEtcd SERVER = TestingEtcd.started();
  private static final Etcd ETCD = SERVER.client();
  private static final String RANGE = "10.2.0.0/16";
  private static final String ID = "flannelvlan/10.2.0.0/16";

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
  void aNewRangeIsAPoolWithTheGatewayOfAReservedSubnetAndNoFlannelKey() {
    RequestPoolResponse pool = host.pool(RANGE, "");

    InterfaceAddress gateway = pool.gateway().orElseThrow();
    assertThat(pool.poolId()).isEqualTo(ID);
    assertThat(pool.pool()).isEqualTo(Cidr.parse(RANGE));
    assertThat(gateway.address()).isEqualTo(gateway.subnet().base().plus(1));
    assertThat(
            SERVER.ctl("get", "", "--from-key", "--keys-only").lines().filter(k -> k.length() > 0))
        .containsExactly(
            "/flannelvlan/reservations/10.2.0.0-16/" + gateway.subnet().base() + "-24");
  }

  @Test
  void askedAgainItIsTheSamePoolAndAnotherHostHasAnotherSubnet() {
    RequestPoolResponse pool = host.pool(RANGE, "");
    assertThat(host.pool(RANGE, "")).isEqualTo(pool);
    try (TestingHost other = new TestingHost(ETCD, state.resolve("12"), 12)) {
      assertThat(other.pool(RANGE, "").gateway()).isNotEqualTo(pool.gateway());
    }
  }

  @Test
  void whatAnotherWasPromisedOfOurOwnLeaseCountsNoMore() {
    HostVlan vlan = host.createNetwork(RANGE, 2, 24);
    host.close();
    String subnet = vlan.subnets().getFirst().base() + "-24";
    String promise = "/flannelvlan/reservations/10.2.0.0-16/" + subnet;
    SERVER.ctl("put", promise, "{\"host\":\"198.51.100.61\"}");
    host = new TestingHost(ETCD, state.resolve("lost"), 11);
    assertThat(host.pool(RANGE, "").gateway()).contains(vlan.subnets().getFirst().at(1));
  }

  @Test
  void aVlanThatStandsInEtcdIsFoundByItsNameAlone() {
    SERVER.ctl(
        "put",
        "/coreos.com/network/blue/config",
        "{\"Network\":\"10.7.0.0/16\",\"SubnetLen\":26,\"Backend\":{\"Type\":\"vxlan\",\"VNI\":7}}");
    RequestPoolResponse pool = host.pool("", "", Map.of("network", "blue"));
    assertThat(pool.pool()).isEqualTo(Cidr.parse("10.7.0.0/16"));
    assertThat(pool.gateway().orElseThrow().length()).isEqualTo(26);
    assertThat(host.pools.get(pool.pool()).orElseThrow().network()).contains("blue");
  }

  @Test
  void withoutRangeAndNameTheNextFreeDefaultIsGiven() {
    assertThat(host.pool("", "").pool()).isEqualTo(Cidr.parse("10.1.0.0/16"));
    // Not the same again: the first may be a network that is just being made.
    assertThat(host.pool("", "").pool()).isEqualTo(Cidr.parse("10.2.0.0/16"));
    host.releasePool("flannelvlan/10.1.0.0/16");
    assertThat(host.pool("", "").pool()).isEqualTo(Cidr.parse("10.1.0.0/16"));
  }

  @Test
  void ofManyAtOnceEachGetsADefaultOfItsOwn() throws Exception {
    assertThat(Together.run(8, _ -> host.pool("", "").pool())).doesNotHaveDuplicates();
  }

  @Test
  void aVlanThatThisHostIsInNeedsNoEtcdAndGivesItsFirstGateway() {
    HostVlan vlan = host.createNetwork(RANGE, 2, 24);
    SERVER.stop();
    try {
      RequestPoolResponse again = host.pool(RANGE, "");
      assertThat(again.gateway()).contains(vlan.subnets().getFirst().at(1));
      assertThat(host.pool("", "", Map.of("network", "vlan002"))).isEqualTo(again);
      assertThatThrownBy(() -> host.pool(RANGE, "", Map.of("network", "red")))
          .isInstanceOf(Refused.class)
          .hasMessageContaining("VLAN vlan002 has 10.2.0.0/16");
    } finally {
      bringEtcdBack();
    }
  }

  @Test
  void withEtcdAwayANewPoolIsRefusedSoonAndInEtcdsOwnWords() {
    SERVER.stop();
    try {
      long start = System.nanoTime();
      assertThatThrownBy(() -> host.pool(RANGE, ""))
          .isInstanceOf(Refused.class)
          .hasMessageContaining("etcd");
      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .isLessThan(Etcd.DEADLINE.multipliedBy(2));
      assertThat(host.pools.all()).isEmpty();
    } finally {
      bringEtcdBack();
    }
  }

  @Test
  void aNewPoolWaitsForAnEtcdThatWasSlowForAMoment() {
    SERVER.freeze();
    try {
      Waiting.until("etcd is known to be away", Duration.ofSeconds(15), () -> !ETCD.isReachable());
      CompletableFuture<RequestPoolResponse> pool =
          CompletableFuture.supplyAsync(() -> host.pool(RANGE, ""), Thread::startVirtualThread);
      SERVER.thaw();
      assertThat(pool.join().pool()).isEqualTo(Cidr.parse(RANGE));
    } finally {
      SERVER.thaw();
    }
  }

  @Test
  void ipRangePicksThisHostsSubnetAndConfinesItInside() {
    assertThat(host.pool(RANGE, "10.2.20.0/24").gateway())
        .contains(InterfaceAddress.parse("10.2.20.1/24"));
    assertThat(host.pool(RANGE, "10.2.21.64/26").gateway())
        .contains(InterfaceAddress.parse("10.2.21.1/24"));
    assertThat(host.pools.get(Cidr.parse(RANGE)).orElseThrow().within())
        .isEqualTo(Cidr.parse("10.2.21.64/26"));
    assertThat(host.pool(RANGE, "10.2.32.0/20").gateway().orElseThrow().address())
        .matches(Cidr.parse("10.2.32.0/20")::contains);
  }

  @Test
  void ipRangeThatCantBeIsRefusedNamingWhatIsInTheWay() {
    try (TestingHost other = new TestingHost(ETCD, state.resolve("12"), 12)) {
      other.pool(RANGE, "10.2.20.0/24");
      other.createNetwork(RANGE, 2, 24);
      assertThatThrownBy(() -> host.pool(RANGE, "10.2.20.0/24"))
          .isInstanceOf(Refused.class)
          .hasMessageContaining("10.2.20.0/24 is held by host 198.51.100.12");
    }
    assertThatThrownBy(() -> host.pool(RANGE, "10.3.20.0/24"))
        .isInstanceOf(Refused.class)
        .hasMessage("--ip-range 10.3.20.0/24 is not inside 10.2.0.0/16");
    HostVlan vlan = host.createNetwork(RANGE, 2, 24);
    assertThatThrownBy(() -> host.pool(RANGE, "10.2.20.0/24"))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("this host has " + vlan.subnets().getFirst());
  }

  @Test
  void aLeaseThatCarriesThisHostsAddressIsTakenAgain() {
    SERVER.ctl(
        "put",
        "/coreos.com/network/vlan002/config",
        "{\"Network\":\"10.2.0.0/16\",\"Backend\":{\"Type\":\"vxlan\",\"VNI\":2}}");
    SERVER.ctl(
        "put",
        "/coreos.com/network/vlan002/subnets/10.2.77.0-24",
        "{\"PublicIP\":\"198.51.100.11\",\"BackendType\":\"vxlan\",\"BackendData\":"
            + "{\"VNI\":2,\"VtepMAC\":\"5e:f6:85:9e:7c:cf\"}}");
    HostVlan vlan = host.createNetwork(RANGE, 2, 24);
    assertThat(vlan.subnets()).containsExactly(Cidr.parse("10.2.77.0/24"));
    assertThat(vlan.vtepMac()).hasToString("5e:f6:85:9e:7c:cf");
  }

  @Test
  void aVlanThatWasLeftGivesTheSameSubnetAgain() {
    HostVlan vlan = host.createNetwork(RANGE, 2, 24);
    host.vlans.leave("vlan002");
    host.pools.remove(vlan.range());
    assertThat(host.pool(RANGE, "").gateway()).contains(vlan.subnets().getFirst().at(1));
  }

  @Test
  void aRangeThatThisHostsRoutesNeedIsRefusedNamingTheRoute() {
    HostRoutes routes =
        (range, _) ->
            Optional.of("route 10.2.7.0/24 dev eth3")
                .filter(r -> range.contains(IpAddress.parse("10.2.7.0")));
    try (TestingHost other =
        new TestingHost(ETCD, state.resolve("12"), 12, routes, InstantSource.system())) {
      assertThatThrownBy(() -> other.pool(RANGE, ""))
          .isInstanceOf(Refused.class)
          .hasMessageContaining("10.2.0.0/16 overlaps route 10.2.7.0/24 dev eth3");
      other.pool("", "");
      assertThat(other.pool("", "").pool()).isEqualTo(Cidr.parse("10.3.0.0/16"));
    }
  }

  @Test
  void whatIsNotOursToGiveIsRefused() {
    assertThatThrownBy(() -> host.pool(RANGE, "", Map.of("vni", "2", "network", "blue")))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("unknown --ipam-opt vni");
    assertThatThrownBy(() ->
            host.ipam.requestPool(
                new RequestPoolRequest(
                    "flannelvlan", Optional.empty(), Optional.empty(), Map.of(), true)))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("IPv4 only");
  }

  @Test
  void releasingAnUnknownPoolIsNoErrorAndAJoinedVlanKeepsIts() {
    host.releasePool("flannelvlan/10.66.0.0/16");
    host.releasePool("rubbish");
    host.createNetwork(RANGE, 2, 24);
    host.releasePool(ID);
    assertThat(host.pools.get(Cidr.parse(RANGE))).isPresent();
  }

  @Test
  void aPoolWhoseNetworkNeverCameIsForgottenAfterAGraceTime() {
    host.pool(RANGE, "");
    host.request(RANGE, host.pool(RANGE, "").gateway().orElseThrow().address().plus(8).toString());
    host.ipam.forgetAbandoned();
    assertThat(host.pools.all()).hasSize(1);
    host.close();
    Instant later = Instant.now().plus(Duration.ofMinutes(6));
    host =
        new TestingHost(
            ETCD, state.resolve("11"), 11, (_, _) -> Optional.empty(), InstantSource.fixed(later));
    host.ipam.forgetAbandoned();
    assertThat(host.pools.all()).isEmpty();
    assertThat(host.addresses.all()).isEmpty();
  }

  private static void bringEtcdBack() {
    SERVER.start();
    Waiting.until("etcd is known to be back", Duration.ofSeconds(15), ETCD::isReachable);
  }
}
