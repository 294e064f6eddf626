package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Result;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Which VLAN {@code docker network create} makes, joins or refuses. */
@ExtendWith(LogsOnFailure.class)
final class VlanRulesIT {
  private static final String VLAN001 = "--subnet 10.1.0.0/16 --opt vni=1 ";

  private static Site site;
  private static Host newer;
  private static Host older;
  private static Host third;

  @BeforeAll
  static void boot() {
    site = new Site(Engine.DOCKER_28, Engine.DOCKER_20_10, Engine.DOCKER_28);
    newer = site.host(1);
    older = site.host(2);
    third = site.host(3);
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @AfterEach
  void clear() {
    site.clear();
  }

  @Test
  void vlanPutByHandIsTheSameForHostsThatNameItByRangeByIpamOptAndByOpt() {
    site.makeByHand("vlan001", "10.1.0.0/16", 1);
    site.create(newer, OURS + VLAN001 + "vlan001");
    site.create(older, OURS + "--ipam-opt network=vlan001 blue");
    site.create(third, OURS + "--subnet 10.1.0.0/16 --opt network=vlan001 green");
    Container a = newer.run("ca", "vlan001");
    Container b = older.run("cb", "blue");
    Container c = third.run("cc", "green");
    assertThat(a.reaches(b.address())).isTrue();
    assertThat(b.reaches(c.address())).isTrue();
    assertThat(c.reaches(a.address())).isTrue();
    assertThat(site.etcd().get("/coreos.com/network/vlan001/config"))
        .contains(Site.config("10.1.0.0/16", 1));
  }

  @Test
  void vlanMadeByTheFirstCreateIsFoundByAnotherHostWithoutItsVni() {
    site.create(newer, OURS + "--subnet 10.2.0.0/16 --opt vni=2 --opt network=blue x");
    site.create(older, OURS + "--subnet 10.2.0.0/16 x");
    assertThat(site.vlans()).containsExactly("blue");
    assertThat(older.run("cb", "x").reaches(newer.run("ca", "x").address())).isTrue();
  }

  @Test
  void takenVniOrRangeIsRefusedNamingTheVlanThatHasIt() {
    site.create(newer, OURS + VLAN001 + "vlan001");
    for (Host host : List.of(newer, older)) {
      assertThat(site.refused(host, OURS + "--subnet 10.9.0.0/16 --opt vni=1 --opt network=x x"))
          .contains("VNI 1 belongs to VLAN vlan001", "give another --opt vni=");
      assertThat(site.refused(host, OURS + VLAN001 + "--opt network=other x"))
          .contains("10.1.0.0/16", "vlan001", "other");
      assertThat(site.refused(host, OURS + "--subnet 10.1.0.0/16 --ipam-opt network=other x"))
          .contains("10.1.0.0/16", "vlan001", "other");
      assertThat(site.refused(host, OURS + "--subnet 10.0.0.0/14 --opt vni=9 x"))
          .contains("10.0.0.0/14 overlaps VLAN vlan001", "choose another --subnet");
      assertThat(site.refused(host, OURS + "--subnet 10.1.64.0/18 --opt vni=9 x"))
          .contains("10.1.64.0/18 overlaps VLAN vlan001", "choose another --subnet");
      assertThat(site.refused(host, OURS + "--subnet 10.9.0.0/16 --ipam-opt network=vlan001 x"))
          .contains("vlan001", "10.1.0.0/16", "--subnet");
      assertThat(site.refused(host, OURS + "--subnet 10.9.0.0/16 --opt network=vlan001 x"))
          .contains("vlan001", "10.1.0.0/16");
      assertThat(site.refused(host, OURS + "--subnet 10.1.0.0/16 --opt vni=2 x"))
          .contains("vlan001", "leave out --opt vni or give vni=1");
      assertThat(site.refused(host, OURS + VLAN001 + "--opt port=4789 x"))
          .contains("vlan001", "UDP port 8472", "4789");
    }
  }

  @Test
  void rangeThatTheHostHasARouteToIsRefusedNamingTheRoute() {
    newer.in("ip", "route", "add", "10.77.3.0/24", "via", "198.51.100.254").orThrow();
    assertThat(site.refused(newer, OURS + "--subnet 10.77.0.0/16 --opt vni=77 x"))
        .contains("10.77.0.0/16 overlaps route", "10.77.3.0/24", "choose another --subnet");
    assertThat(site.refused(newer, OURS + "--subnet 198.51.100.0/24 x"))
        .contains("198.51.100.0/24 overlaps route");
    site.create(older, OURS + "--subnet 10.77.0.0/16 --opt vni=77 x");
    newer.in("ip", "route", "del", "10.77.3.0/24").orThrow();
  }

  @Test
  void foreignLinkInTheWayIsRefusedByNameAndLeftAlone() {
    newer.in("ip", "link", "add", "flannel.7", "type", "bridge").orThrow();
    assertThat(site.refused(newer, OURS + "--subnet 10.7.0.0/16 --opt vni=7 x"))
        .contains("flannel.7");
    newer.in("ip", "link", "del", "flannel.7").orThrow();
    String vxlan = "type vxlan id 7 dstport 8472 dev eth0 local " + newer.address();
    newer.in(("ip link add theirs " + vxlan).split(" ")).orThrow();
    assertThat(site.refused(newer, OURS + "--subnet 10.7.0.0/16 --opt vni=7 x")).contains("theirs");
    newer.in("ip", "link", "del", "theirs").orThrow();
    site.create(newer, OURS + "--subnet 10.7.0.0/16 --opt vni=7 x");
  }

  @Test
  void optionThatCannotBeMeantIsRefusedNamingTheKnownOnes() {
    assertThat(site.refused(newer, OURS + VLAN001 + "--opt vnu=1 x"))
        .contains("unknown option vnu", "vni, network, iface, bridge, port, mtu");
    assertThat(site.refused(older, OURS + VLAN001 + "--ipam-opt vni=1 x"))
        .contains("unknown --ipam-opt vni", "network", "--opt");
    for (String vni : List.of("0", "-1", "16777216", "one", "1.5")) {
      assertThat(site.refused(newer, OURS + "--subnet 10.1.0.0/16 --opt vni=" + vni + " x"))
          .contains("vni", vni, "16777215");
    }
    assertThat(site.refused(newer, OURS + VLAN001 + "--opt mtu=9000 x"))
        .contains("mtu 9000", "1450");
    assertThat(site.refused(newer, OURS + VLAN001 + "--opt iface=eth7 x")).contains("eth7");
    assertThat(site.refused(newer, OURS + VLAN001 + "--opt bridge=a/b x")).contains("a/b");
    assertThat(site.refused(newer, OURS + VLAN001 + "--opt network=a/b x")).contains("a/b");
    assertThat(site.refused(newer, OURS + VLAN001 + "--opt network=a --ipam-opt network=b x"))
        .contains("--opt network=a contradicts --ipam-opt network=b");
  }

  @Test
  void formsThatAVlanCannotHaveAreRefusedWithWhatToDo() {
    for (Host host : List.of(newer, older)) {
      assertThat(site.refused(host, OURS + VLAN001 + "--subnet 10.2.0.0/16 x"))
          .contains("exactly one --subnet");
      assertThat(site.refused(host, OURS + VLAN001 + "--ipv6 --subnet fd00:1::/64 x"))
          .contains("IPv4 only: leave out --ipv6");
      assertThat(site.refused(host, "-d flannelvlan --ipam-driver null --opt vni=1 x"))
          .contains("--ipam-driver null", "give --ipam-driver flannelvlan");
    }
    assertThat(site.refused(newer, OURS + "--subnet 10.1.0.0/29 x")).contains("10.1.0.0/29");
  }

  @Test
  void vniLeftOutIsTheLowestFreeOne() {
    site.makeByHand("vlan001", "10.1.0.0/16", 1);
    site.makeByHand("three", "10.3.0.0/16", 3);
    site.create(newer, OURS + "--subnet 10.20.0.0/16 a");
    site.create(older, OURS + "--subnet 10.30.0.0/16 b");
    assertThat(site.vlans()).containsExactlyInAnyOrder("vlan001", "three", "vlan002", "vlan004");
  }

  @Test
  void subnetLeftOutIsTheNextRangeThatNeitherAVlanNorTheHostHas() {
    site.makeByHand("vlan001", "10.1.0.0/16", 1);
    for (Host host : List.of(newer, older)) {
      host.in("ip", "route", "add", "10.2.0.0/24", "via", "198.51.100.254").orThrow();
    }
    site.create(newer, OURS + "a");
    site.create(older, OURS + "b");
    site.create(older, OURS + "--opt vni=40 c");
    assertThat(subnet(newer, "a")).isEqualTo("10.3.0.0/16");
    assertThat(subnet(older, "b")).isEqualTo("10.4.0.0/16");
    assertThat(subnet(older, "c")).isEqualTo("10.5.0.0/16");
    assertThat(site.vlans()).containsExactlyInAnyOrder("vlan001", "vlan002", "vlan003", "vlan040");
    for (Host host : List.of(newer, older)) {
      host.in("ip", "route", "del", "10.2.0.0/24").orThrow();
    }
  }

  @Test
  void networkWithoutAVlanOrSubnetIsRefusedWithTheSubnetToGive() {
    assertThat(site.refused(newer, OURS + "--ipam-opt network=blue x"))
        .contains("blue", "--subnet 10.1.0.0/16");
  }

  @Test
  void twoNetworksOfOneVlanShareItAndOneGoesWithoutTheOther() {
    site.create(newer, OURS + VLAN001 + "one");
    site.create(newer, OURS + VLAN001 + "two");
    site.create(older, OURS + VLAN001 + "one");
    assertThat(site.refused(newer, OURS + VLAN001 + "--opt mtu=1400 three")).contains("mtu 1450");
    assertThat(site.refused(newer, OURS + VLAN001 + "--internal three"))
        .contains("internal", "Give the same ones, or remove");
    Container a = newer.run("ca", "one");
    Container b = newer.run("cb", "two");
    Container far = older.run("far", "one");
    assertThat(a.reaches(b.address())).isTrue();
    a.remove();
    newer.docker("network", "rm", "one");
    assertThat(b.pings(far.address())).isTrue();
    assertThat(newer.run("cc", "two").reaches(far.address())).isTrue();
  }

  @Test
  void threeHostsThatMakeOneVlanAtOnceGetDifferentSubnets() {
    List<Host> hosts = List.of(newer, older, third);
    List<CompletableFuture<Result>> creating =
        hosts.stream()
            .map(host ->
                CompletableFuture.supplyAsync(
                    () -> site.tryCreate(host, OURS + VLAN001 + "vlan001"),
                    Thread::startVirtualThread))
            .toList();
    assertThat(creating).allSatisfy(result -> assertThat(result.join().ok()).isTrue());
    Set<String> leases =
        hosts.stream().map(host -> site.lease(host, "vlan001")).collect(Collectors.toSet());
    assertThat(leases).hasSize(3);
  }

  @Test
  void brokenValuesAndForeignKeysHarmNobody() {
    site.etcd().put("/coreos.com/network/broken/config", "{\"Network\":\"10.66.0.0/16\"");
    site.etcd()
        .put(
            "/coreos.com/network/host-gw/config",
            "{\"Network\":\"10.67.0.0/16\",\"Backend\":{\"Type\":\"host-gw\"}}");
    site.create(newer, OURS + VLAN001 + "vlan001");
    String subnets = "/coreos.com/network/vlan001/subnets/";
    site.etcd().put(subnets + "10.1.250.0-24", "no JSON at all");
    site.etcd().put(subnets + "readme", "not a subnet");
    site.etcd()
        .put(
            subnets + "10.200.1.0-24",
            "{\"PublicIP\":\"198.51.100.99\",\"BackendType\":\"vxlan\",\"BackendData\":{\"VNI\":1,\"VtepMAC\":\"0a:00:00:00:00:01\"}}");
    site.create(older, OURS + VLAN001 + "vlan001");
    Container a = newer.run("ca", "vlan001");
    assertThat(a.reaches(older.run("cb", "vlan001").address())).isTrue();
    assertThat(newer.in("ip", "route").out()).doesNotContain("10.200.1.0");
    assertThat(site.refused(newer, OURS + "--subnet 10.67.0.0/16 --opt vni=9 x"))
        .contains("10.67.0.0/16", "host-gw");
  }

  private static String subnet(Host host, String network) {
    String template = "{{range .IPAM.Config}}{{.Subnet}}{{end}}";
    return host.docker("network", "inspect", "--format", template, network).text();
  }
}
