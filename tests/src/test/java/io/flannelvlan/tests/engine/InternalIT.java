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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code docker network create --internal}: the VLAN is all there is. */
@ExtendWith(LogsOnFailure.class)
final class InternalIT {
  private static final Vlan INNER = new Vlan(1);
  private static final Vlan OPEN = new Vlan(2);

  private static Lab lab;
  private static Host newer;
  private static Host older;
  private static Container a;
  private static Container b;
  private static Container c;
  private static Container plain;

  @BeforeAll
  static void boot() {
    lab = Lab.start();
    List<Host> hosts = lab.hosts(Engine.DOCKER_28, Engine.DOCKER_20_10);
    newer = hosts.get(0);
    older = hosts.get(1);
    for (Host host : hosts) {
      host.plugin().start();
      INNER.createOn(host, "--internal");
      OPEN.createOn(host);
    }
    a = newer.run("a1", INNER.name());
    b = older.run("b2", INNER.name(), "--publish", "8080:80");
    c = older.run("c2", OPEN.name());
    plain = newer.run("plain", "bridge");
    assertThat(a.reaches(b.address())).isTrue();
  }

  @AfterAll
  static void takeDown() {
    lab.close();
  }

  @Test
  void itsContainersHaveNoDefaultRoute() {
    for (Container container : List.of(a, b)) {
      String routes = container.in("ip", "route").orThrow().out();
      assertThat(routes).doesNotContain("default");
      assertThat(routes).contains(INNER.range() + " via " + INNER.gateway(container.host()));
    }
    assertThat(c.in("ip", "route").out()).contains("default via " + OPEN.gateway(older));
  }

  @Test
  void peersOnAllHostsExchangeLargePayloads() {
    assertThat(Trials.downloads(List.of(a, b), Trials.addresses(a, b))).hasSize(4);
    assertThat(Trials.pings(List.of(a, b), Trials.addresses(a, b))).hasSize(4);
  }

  @Test
  void gatewaysAnswerTheirVlanAndTheHostIsOtherwiseOutOfReach() {
    assertThat(a.pings(INNER.gateway(newer))).isTrue();
    assertThat(a.pings(INNER.gateway(older))).isTrue();
    assertThat(b.pings(INNER.gateway(older))).isTrue();
    Map<String, String> others =
        Map.of(
            "own host", newer.address(),
            "other host", older.address(),
            "outside", lab.outside().address(),
            "docker0", "172.17.0.1",
            "gateway of another VLAN", OPEN.gateway(newer));
    assertThat(Trials.pings(List.of(a), others)).isEmpty();
    defaultRoute(a, "add");
    assertThat(Trials.pings(List.of(a), others)).isEmpty();
    defaultRoute(a, "delete");
  }

  @Test
  void nothingLeadsOutEvenWithADefaultRouteByHand() {
    Map<String, String> out = Trials.addresses(c, plain);
    out.put("outside", lab.outside().address());
    defaultRoute(a, "add");
    defaultRoute(b, "add");
    assertThat(Trials.pings(List.of(a, b), out)).isEmpty();
    assertThat(Trials.asks(List.of(a, b), out)).isEmpty();
    defaultRoute(a, "delete");
    defaultRoute(b, "delete");
  }

  private static void defaultRoute(Container container, String verb) {
    String gateway = INNER.gateway(container.host());
    container.in("ip", "route", verb, "default", "via", gateway).orThrow();
  }

  @Test
  void nothingLeadsInNotEvenAPublishedPort() {
    List<Station> others = List.of(lab.outside(), c, plain);
    lab.outside().in("ip", "route", "add", INNER.range(), "via", older.address()).orThrow();
    assertThat(Trials.pings(others, Trials.addresses(a, b))).isEmpty();
    assertThat(Trials.asks(others, Trials.addresses(a, b))).isEmpty();
    assertThat(Trials.asks(others, Map.of("b2", older.address() + ":8080"))).isEmpty();
    lab.outside().in("ip", "route", "delete", INNER.range()).orThrow();
  }

  @Test
  void hostReachesItsOwnContainers() {
    assertThat(newer.pings(a.address())).isTrue();
    assertThat(older.downloads(b.address())).isTrue();
  }
}
