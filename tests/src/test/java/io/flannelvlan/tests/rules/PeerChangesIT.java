package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Leeway;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Result;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Whatever becomes of a peer's lease in etcd, the kernel has it within a second, and no more. */
@ExtendWith(LogsOnFailure.class)
final class PeerChangesIT {
  // This host's own subnet is none of those that the tests give to others.
  private static final String VLAN001 =
      OURS + "--subnet 10.1.0.0/16 --ip-range 10.1.20.0/24 --opt vni=1 vlan001";
  private static final String SUBNETS = "/coreos.com/network/vlan001/subnets/";
  private static final String CONFIG = "/coreos.com/network/vlan001/config";
  private static final Duration SOON = Leeway.over(Duration.ofSeconds(1));
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private static Site site;
  private static Host host;

  @BeforeAll
  static void boot() {
    site = new Site(Engine.DOCKER_28);
    host = site.host(1);
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @AfterEach
  void clear() {
    site.etcd().etcdctl("del", "--prefix", SUBNETS + "10.1.7").orThrow();
    site.requireInvariantsAndClear();
  }

  @Test
  void aPeersMacAddressAndSubnetAreFollowedAndNothingOfBeforeStays() {
    site.create(host, VLAN001);
    put("10.1.77.0-24", lease("198.51.100.77", "02:00:00:00:00:77"));
    leadsTo("10.1.77.0", "198.51.100.77", "02:00:00:00:00:77");
    put("10.1.77.0-24", lease("198.51.100.77", "02:00:00:00:00:78"));
    leadsTo("10.1.77.0", "198.51.100.77", "02:00:00:00:00:78");
    put("10.1.77.0-24", lease("198.51.100.79", "02:00:00:00:00:78"));
    leadsTo("10.1.77.0", "198.51.100.79", "02:00:00:00:00:78");
    put("10.1.77.0-24", lease("198.51.100.80", "02:00:00:00:00:80"));
    leadsTo("10.1.77.0", "198.51.100.80", "02:00:00:00:00:80");

    site.etcd().delete(SUBNETS + "10.1.77.0-24");
    put("10.1.78.0-24", lease("198.51.100.80", "02:00:00:00:00:80"));
    leadsTo("10.1.78.0", "198.51.100.80", "02:00:00:00:00:80");
    site.etcd().delete(SUBNETS + "10.1.78.0-24");
    becomes();
  }

  @Test
  void aPeerWhoseLeaseExpiresIsGone() {
    site.create(host, VLAN001);
    String granted = site.etcd().etcdctl("lease", "grant", "3").orThrow().text();
    String id = granted.split(" ", 3)[1];
    site.etcd()
        .etcdctl(
            "put",
            "--lease=" + id,
            SUBNETS + "10.1.77.0-24",
            lease("198.51.100.77", "02:00:00:00:00:77"))
        .orThrow();
    leadsTo("10.1.77.0", "198.51.100.77", "02:00:00:00:00:77");
    Await.until(
        PATIENCE, () -> "no expiry", () -> site.etcd().get(SUBNETS + "10.1.77.0-24").isEmpty());
    becomes();
  }

  @Test
  void aBrokenLeaseHarmsOnlyItself() {
    site.create(host, VLAN001);
    put("10.1.77.0-24", lease("198.51.100.77", "02:00:00:00:00:77"));
    put("10.1.78.0-24", "rubbish");
    put("not-a-subnet", lease("198.51.100.78", "02:00:00:00:00:78"));
    put("10.9.79.0-24", lease("198.51.100.79", "02:00:00:00:00:79"));
    leadsTo("10.1.77.0", "198.51.100.77", "02:00:00:00:00:77");
    // Of one that turns unreadable the last good value counts.
    put("10.1.77.0-24", "rubbish");
    put("10.1.79.0-24", lease("198.51.100.80", "02:00:00:00:00:80"));
    Await.until(SOON, () -> "" + ways(), () -> ways().size() == 6);
    site.etcd().delete(SUBNETS + "10.1.79.0-24");
    leadsTo("10.1.77.0", "198.51.100.77", "02:00:00:00:00:77");
    site.etcd().etcdctl("del", "--prefix", SUBNETS + "not").orThrow();
    site.etcd().etcdctl("del", "--prefix", SUBNETS + "10.9").orThrow();
  }

  @Test
  void aVlanWhoseKeysAreAllWipedByHandIsPutBackAndNoWayIsLost() {
    site.create(host, VLAN001);
    put("10.1.77.0-24", lease("198.51.100.77", "02:00:00:00:00:77"));
    leadsTo("10.1.77.0", "198.51.100.77", "02:00:00:00:00:77");
    String config = site.etcd().get(CONFIG).orElseThrow();
    String own = site.lease(host, "vlan001");
    site.etcd().etcdctl("del", "--prefix", "/coreos.com/").orThrow();
    Await.until(PATIENCE, () -> "no config", () -> site.etcd().get(CONFIG).isPresent());
    Await.until(PATIENCE, () -> "no lease", () -> site.leases(host, "vlan001").contains(own));
    assertThat(site.etcd().get(CONFIG)).contains(config);
    leadsTo("10.1.77.0", "198.51.100.77", "02:00:00:00:00:77");

    // It comes back, goes by an event of its own, and is gone.
    put("10.1.77.0-24", lease("198.51.100.77", "02:00:00:00:00:77"));
    site.etcd().delete(SUBNETS + "10.1.77.0-24");
    becomes();
  }

  @Test
  void aSubnetThatAnotherHostClaimsTakesNoNewContainerUntilItIsFreeAgain() {
    site.create(host, VLAN001);
    String own = site.lease(host, "vlan001");
    String key = SUBNETS + own.replace('/', '-');
    String before = host.run("c1", "vlan001").address();
    String rival = lease("198.51.100.77", "02:00:00:00:00:77");
    site.etcd().put(key, rival);
    String said = "the lease of " + own + " in VLAN vlan001 is not this host's any more";
    Await.until(PATIENCE, () -> "not a word", () -> host.plugin().log().contains(said));

    assertThat(isIn(own, host.run("c2", "vlan001").address())).isFalse();
    Result refused =
        host.tryDocker("run", "-d", "--network", "vlan001", "--ip", Site.at(own, 200), "bb");
    assertThat(refused.ok()).isFalse();
    assertThat(refused.err()).contains(own, "198.51.100.77", "etcd");
    assertThat(host.container("c1").address()).isEqualTo(before);
    assertThat(host.container("c2").pings(before)).isTrue();
    assertThat(site.etcd().get(key)).contains(rival);

    site.etcd().delete(key);
    Await.until(
        PATIENCE,
        () -> "the lease is lost",
        () -> site.etcd().get(key).orElse("").contains(host.address()));
    assertThat(Await.within(PATIENCE, () -> isIn(own, another()))).isTrue();
  }

  private static String another() {
    String id = host.docker("run", "-d", "--network", "vlan001", "bb").text();
    return host.container(id).address();
  }

  private static boolean isIn(String subnet, String address) {
    return address.startsWith(Site.at(subnet, 0).replaceFirst("0$", ""));
  }

  private static void put(String subnet, String value) {
    site.etcd().put(SUBNETS + subnet, value);
  }

  private static String lease(String address, String mac) {
    return "{\"PublicIP\":\"%s\",\"PublicIPv6\":null,\"BackendType\":\"vxlan\",".formatted(address)
        + "\"BackendData\":{\"VNI\":1,\"VtepMAC\":\"%s\"}}".formatted(mac);
  }

  /** Route, neighbour and FDB entry of one peer, and of nobody else. */
  private static void leadsTo(String base, String address, String mac) {
    becomes(
        base + "/24 via " + base + " dev flannel.1",
        base + " lladdr " + mac + " PERMANENT",
        mac + " dst " + address + " self permanent");
  }

  private static void becomes(String... ways) {
    Await.until(SOON, () -> "" + ways(), () -> matches(ways(), List.of(ways)));
  }

  private static boolean matches(List<String> found, List<String> wanted) {
    return found.size() == wanted.size()
        && wanted.stream().allMatch(way -> found.stream().anyMatch(line -> line.startsWith(way)));
  }

  private static List<String> ways() {
    return Stream.of(
            host.in("ip", "route", "show", "proto", "241"),
            host.in("ip", "neigh", "show", "dev", "flannel.1", "nud", "permanent"),
            host.in("bridge", "fdb", "show", "dev", "flannel.1"))
        .flatMap(result -> result.orThrow().out().lines())
        .map(String::strip)
        .filter(line -> !line.isEmpty())
        .toList();
  }
}
