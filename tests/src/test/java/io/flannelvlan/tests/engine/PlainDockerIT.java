package io.flannelvlan.tests.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Daemon;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Pod;
import io.flannelvlan.tests.lab.Traffic;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * docs/PLAIN.md: {@code dockerd --bip=$FLANNEL_SUBNET --mtu=$FLANNEL_MTU}, its own bridge on
 * vlan001, beside our containers of the same VLAN and of another.
 */
@ExtendWith(LogsOnFailure.class)
final class PlainDockerIT {
  private static final Vlan ONE = new Vlan(1);
  private static final Vlan TWO = new Vlan(2);
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static Lab lab;
  private static Host newer;
  private static List<Host> hosts;

  @BeforeAll
  static void boot() {
    lab = Lab.start();
    hosts = lab.hosts(Engine.DOCKER_28, Engine.DOCKER_20_10);
    newer = hosts.getFirst();
    for (Host host : hosts) {
      host.plugin().start();
      ONE.createOn(host);
      TWO.createOn(host);
      on(host, ONE);
      host.run("p" + host.name(), "bridge", "--restart", "always", "--publish", "8080:80");
      host.run("a" + host.name(), ONE.name(), "--restart", "always");
      host.run("c" + host.name(), TWO.name(), "--restart", "always");
      host.docker("network", "create", "own");
      host.run("u" + host.name(), "own", "--restart", "always");
    }
    awaitAllReach();
  }

  @AfterAll
  static void takeDown() {
    lab.close();
  }

  @Test
  void theBridgeHasASubnetAndALeaseOfItsOwn() {
    List<String> addresses = new ArrayList<>();
    for (Host host : hosts) {
      String plain = plainSubnet(host);
      assertThat(addressOf("docker0", host)).isEqualTo(told(ONE, host)).endsWith(".1/24");
      assertThat(leases(host, ONE)).hasSize(2).contains(plain);
      assertThat(addressOf(ONE.bridge(), host)).isNotEqualTo(told(ONE, host));
      assertThat(host.flannelvlan("vlans").out()).contains("plain " + plain);
      // Nobody uses this one, so it is only named.
      assertThat(leases(host, TWO)).hasSize(1).doesNotContain(subnet(told(TWO, host)));
      addresses.addAll(addresses(host).values());
      String link = host.container("p" + host.name()).in("ip", "link", "show", "eth0").out();
      assertThat(link).contains("mtu 1450");
      assertThat(lab.etcd().keys("/flannelvlan/addresses/vlan001/"))
          .noneMatch(key -> key.contains("/" + plain.replaceFirst("\\d+/\\d+$", "")));
    }
    assertThat(addresses).hasSize(8).doesNotHaveDuplicates();
  }

  @Test
  void itsContainersAndOursMeetOnAllHostsUnderTheirOwnAddresses() {
    List<Container> all = members();
    Map<String, String> places = Trials.addresses(all.toArray(Container[]::new));
    assertThat(Trials.pings(all, places)).hasSize(16);
    assertThat(Trials.downloads(all, places)).hasSize(16);
    for (Container from : all) {
      for (Container to : all) {
        if (from != to) {
          assertThat(from.seenAs(to.address())).as(from.name()).contains(from.address());
        }
      }
    }
  }

  @Test
  void neitherAnotherVlanNorAnotherBridgeOfDockersIsMet() {
    List<Container> plain = of("p");
    List<Container> others = Stream.concat(of("c").stream(), of("u").stream()).toList();
    Map<String, String> away = Trials.addresses(others.toArray(Container[]::new));
    away.put("gateway", TWO.gateway(newer));
    Map<String, String> places = Trials.addresses(plain.toArray(Container[]::new));
    assertThat(Trials.pings(plain, away)).isEmpty();
    assertThat(Trials.asks(plain, away)).isEmpty();
    assertThat(Trials.pings(others, places)).isEmpty();
    assertThat(Trials.asks(others, places)).isEmpty();
  }

  @Test
  void aForgedSourceIsNotPassedOn() {
    for (Container plain : of("p")) {
      for (Container target : List.of(of("a").getLast(), of("c").getFirst())) {
        plain.in("ip", "address", "add", "10.2.77.77/32", "dev", "eth0").orThrow();
        String gateway = plain.in("ip", "route", "show", "default").text().split(" ", -1)[2];
        String[] forged = {target.address(), "via", gateway, "src", "10.2.77.77"};
        plain.in(words("ip route add", forged)).orThrow();
        assertThat(plain.pings(target.address())).isFalse();
        plain.in(words("ip route del", forged)).orThrow();
        plain.in("ip", "address", "del", "10.2.77.77/32", "dev", "eth0").orThrow();
      }
    }
  }

  @Test
  void theOutsideIsReachedUnderTheHostsAddressAndReachesPublishedPortsAlone() {
    for (Host host : hosts) {
      Container plain = host.container("p" + host.name());
      assertThat(plain.seenAs(lab.outside().address())).contains(host.address());
      assertThat(lab.outside().whoAnswers(host.address() + ":8080")).contains(plain.name());
      lab.outside().in("ip", "route", "add", ONE.range(), "via", host.address()).orThrow();
      assertThat(lab.outside().pings(plain.address())).isFalse();
      assertThat(lab.outside().whoAnswers(plain.address())).isEmpty();
      lab.outside().in("ip", "route", "delete", ONE.range()).orThrow();
      assertThat(host.downloads(plain.address())).isTrue();
    }
  }

  @Test
  void pluginsEndAndReturnInterruptNoTraffic() {
    List<String> before = leases(newer, ONE);
    for (Consumer<Daemon> end : List.<Consumer<Daemon>>of(Daemon::stop, Daemon::kill)) {
      Traffic traffic =
          new Traffic(lab)
              .between(of("p").getFirst(), of("p").getLast())
              .between(of("a").getLast(), of("p").getFirst())
              .between(of("p").getFirst(), of("a").getFirst());
      hosts.forEach(host -> end.accept(host.plugin()));
      hosts.forEach(host -> host.plugin().start());
      awaitAllReach();
      traffic.requireUninterrupted();
    }
    assertThat(leases(newer, ONE)).isEqualTo(before);
  }

  @Test
  void dockerdEndsAndReturnsWithTheSameSubnet() {
    for (Host host : hosts) {
      String before = addressOf("docker0", host);
      host.dockerd().kill();
      host.dockerd().start();
      awaitAllReach();
      assertThat(addressOf("docker0", host)).isEqualTo(before);
    }
  }

  @Test
  void lostPowerBringsBackTheSameSubnet() {
    for (Host host : hosts) {
      List<String> before = leases(host, ONE);
      String plain = addressOf("docker0", host);
      host.reboot();
      awaitAllReach();
      assertThat(addressOf("docker0", host)).isEqualTo(plain);
      assertThat(leases(host, ONE)).isEqualTo(before);
    }
  }

  @Test
  void lostStateTakesTheSubnetForNoneOfOurs() throws IOException {
    for (Host host : hosts) {
      List<String> before = leases(host, ONE);
      host.plugin().kill();
      try (Stream<Path> files = Files.list(host.stateDir())) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Files.delete(file);
        }
      }
      host.plugin().start();
      awaitAllReach();
      Await.until(
          PATIENCE,
          () -> host.flannelvlan("vlans").out(),
          () -> host.flannelvlan("vlans").out().contains("plain " + plainSubnet(host)));
      assertThat(leases(host, ONE)).isEqualTo(before);
      assertThat(host.in("ip", "-o", "address", "show", "dev", ONE.bridge()).out())
          .doesNotContain(told(ONE, host));
    }
  }

  @Test
  void wipedEtcdGetsBothLeasesBack() {
    List<List<String>> before = hosts.stream().map(host -> leases(host, ONE)).toList();
    lab.etcd().wipe();
    Await.until(
        PATIENCE,
        () -> "" + lab.etcd().keys("/coreos.com/network/vlan001/"),
        () -> hosts.stream().map(host -> leases(host, ONE)).toList().equals(before));
    awaitAllReach();
  }

  @Test
  void onAnInternalVlanThereIsNoWayOutAndLeavingItGivesTheSubnetBack() {
    Vlan inner = new Vlan(3);
    for (Host host : hosts) {
      inner.createOn(host, "--internal");
      on(host, inner);
      host.run("i" + host.name(), inner.name());
    }
    List<Container> all = Stream.concat(comeBack("p").stream(), of("i").stream()).toList();
    Map<String, String> places = Trials.addresses(all.toArray(Container[]::new));
    Await.until(
        PATIENCE,
        () -> "" + Trials.pings(all, places),
        () -> Trials.pings(all, places).size() == 16);
    for (Container plain : of("p")) {
      assertThat(plain.pings(lab.outside().address())).isFalse();
      assertThat(Trials.pings(List.of(plain), Trials.addresses(of("a").getLast()))).isEmpty();
    }
    for (Host host : hosts) {
      assertThat(lab.outside().whoAnswers(host.address() + ":8080")).isEmpty();
      host.container("i" + host.name()).remove();
      inner.removeFrom(host);
      Await.until(PATIENCE, () -> "" + leases(host, inner), () -> leases(host, inner).isEmpty());
      Await.until(
          PATIENCE, () -> "the file stays", () -> Files.notExists(host.subnetFile(inner.name())));
      Await.until(
          PATIENCE,
          () -> "nothing is said of docker0",
          () -> host.plugin().log().contains("has left VLAN vlan003, but docker0 still carries"));
    }
    // dockerd was not told, and a network that is made again finds its bridge in the VLAN.
    inner.createOn(newer, "--internal");
    Await.until(PATIENCE, () -> "" + leases(newer, inner), () -> leases(newer, inner).size() == 2);
    inner.removeFrom(newer);
    hosts.forEach(host -> on(host, ONE));
    awaitAllReach();
  }

  /** As docs/PLAIN.md has the move from flannel's CNI plugin: pods on its bridge run on. */
  @Test
  void theBridgeThatFlannelsCniPluginLeftIsInTheVlanWithItsPods() {
    Vlan four = new Vlan(4);
    String config = "{\"Network\":\"10.4.0.0/16\",\"Backend\":{\"Type\":\"vxlan\",\"VNI\":4}}";
    lab.etcd().put("/coreos.com/network/vlan004/config", config);
    for (Host host : hosts) {
      leaveBehindByFlannel(host, host == newer ? "50" : "60");
    }
    hosts.forEach(four::createOn);
    List<Container> ours = hosts.stream().map(h -> h.run("f" + h.name(), four.name())).toList();
    Map<String, String> pods = Map.of("old1", "10.4.50.9", "old2", "10.4.60.9");
    Await.until(
        PATIENCE, () -> "" + Trials.pings(ours, pods), () -> Trials.pings(ours, pods).size() == 4);
    assertThat(told(four, newer)).isEqualTo("10.4.50.1/24");
    assertThat(leases(newer, four)).hasSize(2).contains("10.4.50.0/24");
    assertThat(Trials.pings(of("c"), pods)).isEmpty();
    for (Host host : hosts) {
      host.container("f" + host.name()).remove();
      four.removeFrom(host);
      host.in("ip", "netns", "delete", "old").orThrow();
      host.in("ip", "link", "delete", "cni4").orThrow();
    }
  }

  /** flanneld's lease, its plugin's bridge, and a pod on that: 10.4.50.9. */
  private static void leaveBehindByFlannel(Host host, String third) {
    String subnet = "10.4." + third;
    String lease =
        """
        {"PublicIP":"%s","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":4,"VtepMAC":"0e:00:00:00:04:%s"}}\
        """
            .formatted(host.address(), third);
    lab.etcd().put("/coreos.com/network/vlan004/subnets/" + subnet + ".0-24", lease);
    host.in("ip", "link", "add", "cni4", "type", "bridge").orThrow();
    host.in("ip", "address", "add", subnet + ".1/24", "dev", "cni4").orThrow();
    host.in("ip", "link", "set", "cni4", "up").orThrow();
    Pod pod = host.pod("old");
    host.in(words("ip link add old0 type veth peer name eth0 netns old")).orThrow();
    host.in(words("ip link set old0 master cni4 up")).orThrow();
    pod.in("ip", "address", "add", subnet + ".9/24", "dev", "eth0").orThrow();
    pod.in("ip", "link", "set", "eth0", "up").orThrow();
    pod.in("ip", "route", "add", "default", "via", subnet + ".1").orThrow();
  }

  /** dockerd's own bridge on that VLAN, as the file says; 28 needs a word to let peers in. */
  private static void on(Host host, Vlan vlan) {
    host.plainDockerOn(
        vlan.name(),
        host.engine() == Engine.DOCKER_28
            ? new String[] {"--allow-direct-routing"}
            : new String[0]);
    host.dockerd().restart();
  }

  private static List<Container> of(String kind) {
    return hosts.stream().map(host -> host.container(kind + host.name())).toList();
  }

  private static List<Container> members() {
    return Stream.concat(of("p").stream(), of("a").stream()).toList();
  }

  private static Map<String, String> addresses(Host host) {
    Map<String, String> all = new TreeMap<>();
    for (String kind : List.of("p", "a", "c", "u")) {
      all.put(kind, host.container(kind + host.name()).address());
    }
    // Each host's networks of Docker's own begin at the same address.
    all.put("u", host.name() + " " + all.get("u"));
    return all;
  }

  /** Docker starts those containers again after the end of a dockerd. */
  private static List<Container> comeBack(String kind) {
    for (Host host : hosts) {
      String name = kind + host.name();
      Await.until(
          PATIENCE,
          () -> name + " is not back",
          () -> host.tryDocker("inspect", "-f", "{{.State.Running}}", name).text().equals("true"));
    }
    return of(kind);
  }

  private static void awaitAllReach() {
    List.of("p", "a", "c", "u").forEach(PlainDockerIT::comeBack);
    List<Container> all = members();
    Map<String, String> places = Trials.addresses(all.toArray(Container[]::new));
    Await.until(
        PATIENCE,
        () -> "" + Trials.pings(all, places),
        () -> Trials.pings(all, places).size() == 16);
  }

  /** The gateway in the file, such as 10.1.200.1/24. */
  private static String told(Vlan vlan, Host host) {
    String file = host.in("cat", "/run/flannel/networks/" + vlan.name() + ".env").orThrow().out();
    return file.replaceFirst("(?s).*FLANNEL_SUBNET=(\\S+).*", "$1");
  }

  private static String plainSubnet(Host host) {
    return subnet(told(ONE, host));
  }

  private static String subnet(String gateway) {
    return gateway.replaceFirst("\\.1/", ".0/");
  }

  private static String addressOf(String link, Host host) {
    return host.in("ip", "-brief", "-4", "address", "show", "dev", link)
        .orThrow()
        .text()
        .split(" +", -1)[2];
  }

  private static List<String> leases(Host host, Vlan vlan) {
    return lab.etcd().keys("/coreos.com/network/" + vlan.name() + "/subnets/").stream()
        .filter(key -> lab.etcd().get(key).orElse("").contains('"' + host.address() + '"'))
        .map(key -> key.substring(key.lastIndexOf('/') + 1).replace('-', '/'))
        .toList();
  }

  private static String[] words(String begin, String... end) {
    return Stream.concat(Stream.of(begin.split(" ", -1)), Stream.of(end)).toArray(String[]::new);
  }
}
