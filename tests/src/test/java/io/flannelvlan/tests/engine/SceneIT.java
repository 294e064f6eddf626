package io.flannelvlan.tests.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Station;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The seed's scene: A and C on host 1, B and D on host 2; A and B in VLAN 1, C and D in VLAN 2. */
@ExtendWith(LogsOnFailure.class)
final class SceneIT {
  private static final Vlan ONE = new Vlan(1);
  private static final Vlan TWO = new Vlan(2);

  private static Lab lab;
  private static Host newer;
  private static Host older;
  private static Container a;
  private static Container b;
  private static Container c;
  private static Container d;

  @BeforeAll
  static void play() {
    lab = Lab.start();
    List<Host> hosts = lab.hosts(Engine.DOCKER_28, Engine.DOCKER_20_10);
    newer = hosts.get(0);
    older = hosts.get(1);
    for (Host host : hosts) {
      host.plugin().start();
      ONE.createOn(host);
      TWO.createOn(host);
    }
    a = newer.run("a1", ONE.name());
    b = older.run("b2", ONE.name());
    c = newer.run("c1", TWO.name());
    d = older.run("d2", TWO.name());
    assertThat(a.reaches(b.address())).isTrue();
    assertThat(c.reaches(d.address())).isTrue();
  }

  @AfterAll
  static void takeDown() {
    lab.close();
  }

  @Test
  void eachPingsItsVlanAndNobodyElse() {
    List<Container> all = List.of(a, b, c, d);
    assertThat(Trials.pings(all, Trials.addresses(a, b, c, d)))
        .containsExactlyInAnyOrder(
            "a1 to a1",
            "a1 to b2",
            "b2 to a1",
            "b2 to b2",
            "c1 to c1",
            "c1 to d2",
            "d2 to c1",
            "d2 to d2");
  }

  @Test
  void eachExchangesLargePayloadsWithItsVlan() {
    assertThat(Trials.downloads(List.of(a, b), Trials.addresses(a, b))).hasSize(4);
    assertThat(Trials.downloads(List.of(c, d), Trials.addresses(c, d))).hasSize(4);
    assertThat(a.exec("ping", "-c", "1", "-W", "1", "-s", "9000", b.address()).ok()).isTrue();
  }

  @Test
  void nobodyOfTheOtherVlanAnswersByTcp() {
    assertThat(Trials.asks(List.of(a, b), Trials.addresses(c, d))).isEmpty();
    assertThat(Trials.asks(List.of(c, d), Trials.addresses(a, b))).isEmpty();
  }

  @Test
  void gatewaysAndTunnelEndsAnswerTheirOwnVlanOnly() {
    assertThat(Trials.pings(List.of(a, b), ends(ONE))).hasSize(8);
    assertThat(Trials.pings(List.of(c, d), ends(TWO))).hasSize(8);
    assertThat(Trials.pings(List.of(a, b), ends(TWO))).isEmpty();
    assertThat(Trials.pings(List.of(c, d), ends(ONE))).isEmpty();
  }

  private static Map<String, String> ends(Vlan vlan) {
    return Map.of(
        "gateway of h1", vlan.gateway(newer),
        "gateway of h2", vlan.gateway(older),
        "tunnel of h1", vlan.tunnelAddress(newer),
        "tunnel of h2", vlan.tunnelAddress(older));
  }

  @Test
  void routeByHandThroughAnotherGatewayLeadsNowhere() {
    a.in("ip", "route", "add", TWO.range(), "via", ONE.gateway(newer)).orThrow();
    c.in("ip", "route", "add", ONE.range(), "via", TWO.gateway(newer)).orThrow();
    assertThat(Trials.pings(List.of(a), Trials.addresses(c, d))).isEmpty();
    assertThat(Trials.pings(List.of(c), Trials.addresses(a, b))).isEmpty();
    a.in("ip", "route", "delete", TWO.range()).orThrow();
    c.in("ip", "route", "delete", ONE.range()).orThrow();
  }

  @Test
  void machineOutsideSeesTheHostAndFindsNoWayIn() {
    for (Container container : List.of(a, b, c, d)) {
      assertThat(container.seenAs(lab.outside().address())).contains(container.host().address());
      assertThat(container.pings(lab.outside().address())).isTrue();
    }
    Map<String, String> all = Trials.addresses(a, b, c, d);
    List<Station> outside = List.of(lab.outside());
    assertThat(Trials.pings(outside, all)).isEmpty();
    routeOutside("add");
    assertThat(Trials.pings(outside, all)).isEmpty();
    assertThat(Trials.asks(outside, all)).isEmpty();
    routeOutside("delete");
  }

  private static void routeOutside(String verb) {
    for (Vlan vlan : List.of(ONE, TWO)) {
      lab.outside()
          .in("ip", "route", verb, vlan.range(), "via", newer.address(), "dev", "eth0")
          .orThrow();
    }
  }

  @Test
  void hostsReachTheirOwnAndRemoteContainersOfAllVlans() {
    Map<String, String> all = Trials.addresses(a, b, c, d);
    assertThat(Trials.pings(List.of(newer, older), all)).hasSize(8);
    assertThat(Trials.downloads(List.of(newer, older), all)).hasSize(8);
  }

  @Test
  void thirdHostThatJoinsLateReachesAllOfItsVlan() {
    Host late = lab.host(Engine.DOCKER_28);
    late.plugin().start();
    ONE.createOn(late);
    Container e = late.run("e3", ONE.name());
    assertThat(e.reaches(a.address())).isTrue();
    assertThat(e.reaches(b.address())).isTrue();
    assertThat(Trials.downloads(List.of(e), Trials.addresses(a, b))).hasSize(2);
    assertThat(Trials.downloads(List.of(a, b), Trials.addresses(e))).hasSize(2);
    assertThat(Trials.pings(List.of(e), Trials.addresses(c, d))).isEmpty();
    assertThat(Trials.pings(List.of(c, d), Trials.addresses(e))).isEmpty();
    e.remove();
    ONE.removeFrom(late);
  }

  @Test
  void containerInBothVlansReachesBothAndDoesNotBridgeThem() {
    for (Host host : List.of(newer, older)) {
      Container both = host.run("both", ONE.name());
      host.docker("network", "connect", TWO.name(), "both");
      Map<String, String> all = Trials.addresses(a, b, c, d);
      assertThat(Trials.pings(List.of(both), all)).hasSize(4);
      assertThat(Trials.downloads(List.of(both), all)).hasSize(4);
      assertThat(both.seenAs(lab.outside().address())).contains(host.address());

      both.in("sysctl", "-w", "net.ipv4.ip_forward=1").orThrow();
      Container one = host == newer ? a : b;
      Container two = host == newer ? c : d;
      one.in("ip", "route", "add", TWO.range(), "via", both.address(ONE.name())).orThrow();
      two.in("ip", "route", "add", ONE.range(), "via", TWO.gateway(host)).orThrow();
      assertThat(crossing(one, two)).isEmpty();
      // Docker has bridges show their frames to the host's firewall; not every host has that.
      host.in("sysctl", "-w", "net.bridge.bridge-nf-call-iptables=0");
      assertThat(crossing(one, two)).isEmpty();
      host.in("sysctl", "-w", "net.bridge.bridge-nf-call-iptables=1");
      one.in("ip", "route", "delete", TWO.range()).orThrow();
      two.in("ip", "route", "delete", ONE.range()).orThrow();
      both.remove();
    }
  }

  private static Set<String> crossing(Container one, Container two) {
    Set<String> crossing = new TreeSet<>();
    crossing.addAll(Trials.pings(List.of(one), Trials.addresses(c, d)));
    crossing.addAll(Trials.pings(List.of(two), Trials.addresses(a, b)));
    return crossing;
  }

  @Test
  void linksHaveTheUnderlaysMtuLessFiftyOrWhatWasAsked() {
    assertThat(mtu(a, "eth0")).isEqualTo(1450);
    assertThat(mtu(b, "eth0")).isEqualTo(1450);
    assertThat(mtu(newer, ONE.bridge())).isEqualTo(1450);
    assertThat(mtu(newer, ONE.tunnel())).isEqualTo(1450);
    int vni = 11;
    for (String option : List.of("mtu=1400", "com.docker.network.driver.mtu=1300")) {
      Vlan vlan = new Vlan(vni++);
      int asked = Integer.parseInt(option.substring(option.indexOf('=') + 1));
      for (Host host : List.of(newer, older)) {
        vlan.createOn(host, "--opt", option);
        Container small = host.run("small" + host.name(), vlan.name());
        assertThat(mtu(small, "eth0")).isEqualTo(asked);
        assertThat(mtu(host, vlan.bridge())).isEqualTo(asked);
        assertThat(mtu(host, vlan.tunnel())).isEqualTo(asked);
      }
      Container small1 = newer.container("smallh1");
      Container small2 = older.container("smallh2");
      assertThat(small1.reaches(small2.address())).isTrue();
      assertThat(small1.downloads(small2.address())).isTrue();
      small1.remove();
      small2.remove();
      vlan.removeFrom(newer);
      vlan.removeFrom(older);
    }
  }

  private static int mtu(Station station, String link) {
    String line = station.in("ip", "-oneline", "link", "show", "dev", link).orThrow().text();
    return Integer.parseInt(line.replaceAll(".* mtu (\\d+) .*", "$1"));
  }

  @Test
  void namesResolveAmongContainersOfOneHost() {
    for (Container asker : List.of(a, b)) {
      Container peer = asker.host().run("peer", ONE.name());
      assertThat(asker.exec("wget", "-q", "-O", "-", "http://peer/cgi-bin/name").text())
          .isEqualTo("peer");
      assertThat(peer.exec("wget", "-q", "-O", "-", "http://" + asker.name() + "/cgi-bin/name"))
          .satisfies(answer -> assertThat(answer.text()).isEqualTo(asker.name()));
      peer.remove();
    }
  }
}
