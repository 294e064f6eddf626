package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Examples;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Pod;
import io.flannelvlan.tests.lab.Station;
import io.flannelvlan.tests.lab.Traffic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Two VLANs on {@code br-tun1}: on the first host flannelvlan makes it, on the second it is the
 * user's, with an address and a station of his.
 */
@ExtendWith(LogsOnFailure.class)
final class SharedBridgeIT {
  private static final String VLAN001 =
      OURS + "--subnet 10.1.0.0/16 --opt vni=1 --opt bridge=br-tun1 vlan001";
  private static final String VLAN002 =
      OURS + "--subnet 10.2.0.0/16 --opt vni=2 --opt bridge=br-tun1 vlan002";
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static Site site;
  private static Host newer;
  private static Host older;
  private static Pod station;

  private Container a1;
  private Container a2;
  private Container c1;
  private Container c2;

  @BeforeAll
  static void boot() {
    site = new Site(Engine.DOCKER_28, Engine.DOCKER_20_10);
    newer = site.host(1);
    older = site.host(2);
    for (Host host : List.of(newer, older)) {
      host.setting("RECLAIM_AFTER", "2s").plugin().restart();
    }
    station = older.pod("station");
    sh(older, "ip link add his type veth peer name eth0 netns station");
    station.in("ip", "address", "add", "192.168.5.5/24", "dev", "eth0").orThrow();
    station.in("ip", "link", "set", "eth0", "up").orThrow();
    station.in("ip", "route", "add", "default", "via", "192.168.5.1").orThrow();
    usersBridge();
  }

  private static void usersBridge() {
    sh(
        older,
        "ip link add br-tun1 type bridge && ip link set br-tun1 address 02:00:00:00:05:01 up"
            + " && ip address add 192.168.5.1/24 dev br-tun1 && ip link set his master br-tun1 up");
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @BeforeEach
  void furnish() {
    for (Host host : List.of(newer, older)) {
      site.create(host, VLAN001);
      site.create(host, VLAN002);
    }
    a1 = newer.run("a1", "vlan001");
    a2 = older.run("a2", "vlan001", "--publish", "8081:80");
    c1 = newer.run("c1", "vlan002", "--publish", "8082:80");
    c2 = older.run("c2", "vlan002");
    assertThat(a1.reaches(a2.address())).isTrue();
    assertThat(c1.reaches(c2.address())).isTrue();
  }

  /** And the user's bridge is as it was. */
  @AfterEach
  void clear() {
    site.requireInvariantsAndClear();
    assertThat(older.in("ip", "-br", "-4", "address", "show", "dev", "br-tun1").orThrow().out())
        .contains("192.168.5.1/24")
        .doesNotContain("10.");
    assertThat(older.in("ip", "link", "show", "his").orThrow().out()).contains("master br-tun1");
    assertThat(station.pings("192.168.5.1")).isTrue();
    assertThat(newer.in("ip", "link", "show", "br-tun1").ok()).isFalse();
  }

  @Test
  void eachVlanReachesItsOwnAndNoOther() {
    requireIsolation();
  }

  private void requireIsolation() {
    List<Container> all = List.of(a1, a2, c1, c2);
    List<String> open = new ArrayList<>();
    for (Container from : all) {
      for (Container to : all) {
        if (from.pings(to.address())) {
          open.add(from.name() + to.name());
        }
        assertThat(from.whoAnswers(to.address()).isPresent())
            .as("%s asks %s by TCP", from.name(), to.name())
            .isEqualTo(from.name().charAt(0) == to.name().charAt(0));
      }
    }
    assertThat(open)
        .containsExactly("a1a1", "a1a2", "a2a1", "a2a2", "c1c1", "c1c2", "c2c1", "c2c2");
    for (Container from : all) {
      assertThat(from.pings(gateway(from, 1))).as("its gateway").isTrue();
    }
    assertThat(a1.pings(gateway(c1, 1))).as("the other's gateway").isFalse();
    assertThat(c2.pings(gateway(a2, 1))).as("the other's gateway").isFalse();
    for (Container from : all) {
      assertThat(from.pings(site.lab().outside().address())).as("outside").isTrue();
    }
  }

  /** One by CNI, one for what runs already. */
  @Test
  void podsAndAttachedLinksAreOnItAsContainersAre() {
    String conf = Examples.text("cni/net1.d/10-vlan001.conf");
    for (Host host : List.of(newer, older)) {
      Pod front = host.pod("front");
      front.cni("ADD", conf).orThrow();
      Pod back = host.pod("back");
      host.flannelvlan("attach", back.netns(), "vlan002", "--ifname", "eth0").orThrow();
      for (Container peer : List.of(a1, a2, c1, c2)) {
        Pod own = peer == a1 || peer == a2 ? front : back;
        Pod other = own == front ? back : front;
        assertThat(own.reaches(peer.address())).as(own.name() + " " + peer.name()).isTrue();
        assertThat(peer.reaches(own.address())).as(peer.name() + " " + own.name()).isTrue();
        assertThat(other.pings(peer.address())).as(other.name() + " " + peer.name()).isFalse();
        assertThat(peer.pings(other.address())).as(peer.name() + " " + other.name()).isFalse();
      }
      assertThat(front.pings(back.address())).isFalse();
      assertThat(back.pings(front.address())).isFalse();
      front.cni("DEL", conf).orThrow();
      host.flannelvlan("detach", back.netns(), "vlan002").orThrow();
      front.vanish();
      back.vanish();
    }
  }

  /** The bridge sends what is for it to one port only. */
  @Test
  void oneMacInTwoVlansIsRefused() {
    String[] asked = {"--mac-address", mac(a1)};
    assertThatThrownBy(() -> newer.run("twin", "vlan002", asked))
        .hasMessageContaining(
            mac(a1)
                + " is the MAC of "
                + a1.address()
                + " in VLAN vlan001, which is on bridge br-tun1");
    newer.docker("rm", "twin");
    assertThat(older.run("twin", "vlan002", asked).reaches(c1.address())).isTrue();
    requireIsolation();
  }

  @Test
  void publishedPortsAreReachedFromEverywhere() {
    List<Station> everybody = List.of(a1, a2, c1, c2, newer, older, station, site.lab().outside());
    for (Station from : everybody) {
      assertThat(from.whoAnswers(older.address() + ":8081")).as(from.name()).contains("a2");
      if (from != station) {
        assertThat(from.whoAnswers(newer.address() + ":8082")).as(from.name()).contains("c1");
      }
    }
  }

  @Test
  void theUsersStationIsAsGoodAsAnyOutside() {
    for (Container container : List.of(a2, c2)) {
      assertThat(container.pings("192.168.5.5")).as("out to it").isTrue();
      assertThat(station.pings(container.address())).as("in from it").isFalse();
    }
    // As a container's neighbour would.
    station.in("ip", "address", "add", gateway(a2, 77) + "/24", "dev", "eth0").orThrow();
    assertThat(station.pings(a2.address())).isFalse();
    assertThat(a2.pings(gateway(a2, 77))).isFalse();
    station.in("ip", "address", "delete", gateway(a2, 77) + "/24", "dev", "eth0").orThrow();
  }

  @Test
  void aContainerIsNobodyButItself() {
    for (Container liar : List.of(a1, c2)) {
      Container other = liar == a1 ? c1 : a2;
      // As a neighbour in the other VLAN, on the same bridge.
      String neighbour = gateway(other, 99);
      liar.in("ip", "address", "add", neighbour + "/24", "dev", "eth0").orThrow();
      assertThat(liar.pings(other.address())).isFalse();
      assertThat(liar.pings(gateway(other, 1))).isFalse();
      assertThat(other.pings(neighbour)).isFalse();
      liar.in("ip", "address", "delete", neighbour + "/24", "dev", "eth0").orThrow();
      assertThat(liar.pings(gateway(liar, 1))).isTrue();

      // Under the other's MAC.
      String own = mac(liar);
      liar.in("ip", "link", "set", "eth0", "address", mac(other)).orThrow();
      assertThat(liar.pings(gateway(liar, 1))).isFalse();
      assertThat(other.pings(gateway(other, 1))).isTrue();
      liar.in("ip", "link", "set", "eth0", "address", own).orThrow();
      assertThat(liar.reaches(gateway(liar, 1))).isTrue();
    }
  }

  @Test
  void aVlanComesAndGoesWhileTheOtherRunsOn() {
    List<String> macs = bridgeMacs();
    Traffic traffic = new Traffic(site.lab()).between(c1, c2);
    for (Host host : List.of(newer, older)) {
      host.docker("rm", "--force", host == newer ? "a1" : "a2");
      host.docker("network", "rm", "vlan001");
      Await.until(
          PATIENCE,
          () -> addresses(host),
          () -> !addresses(host).contains("10.1.") && addresses(host).contains("10.2."));
    }
    for (Host host : List.of(newer, older)) {
      site.create(host, VLAN001);
    }
    assertThat(newer.run("a3", "vlan001").reaches(older.run("a4", "vlan001").address())).isTrue();
    traffic.requireUninterrupted();
    assertThat(bridgeMacs()).isEqualTo(macs);
  }

  @Test
  void killedAndStartedAgainThePluginFindsAllAsItWas() {
    Traffic traffic = new Traffic(site.lab()).between(a1, a2).between(c1, c2);
    for (Host host : List.of(newer, older)) {
      host.plugin().kill();
      host.plugin().start();
      assertThat(host.run("late", "vlan001").reaches(a1.address())).isTrue();
      host.docker("rm", "--force", "late");
    }
    traffic.requireUninterrupted();
    requireIsolation();
  }

  @Test
  void aLostStateDirectoryCostsNoPacketAndOpensNothing() {
    Traffic traffic = new Traffic(site.lab()).between(a1, a2).between(c1, c2);
    for (Host host : List.of(newer, older)) {
      long before = hadBack(host);
      host.plugin().kill();
      sh(host, "rm -rf " + host.stateDir());
      host.plugin().start();
      Await.until(PATIENCE, () -> host.plugin().log(), () -> hadBack(host) > before);
    }
    traffic.requireUninterrupted();
    requireIsolation();
  }

  @Test
  void aBridgeThatTheUserTakesAwayIsMissedInOneSentenceAndPutToUseWhenItIsBack() {
    sh(older, "ip link delete br-tun1");
    String missing = "bridge br-tun1, which is yours, is not there: make it again";
    Await.until(PATIENCE, () -> older.plugin().log(), () -> older.plugin().log().contains(missing));
    assertThat(older.in("ip", "link", "show", "br-tun1").ok()).isFalse();
    usersBridge();
    assertThat(a2.reaches(a1.address())).isTrue();
    assertThat(c2.reaches(c1.address())).isTrue();
  }

  @Test
  void whatCantHoldAVlanIsRefusedInOneSentence() {
    sh(newer, "ip link add br-of-the-user1 type bridge && ip link set br-of-the-user1 up");
    sh(newer, "ip link add br-down type bridge");
    String third = OURS + "--subnet 10.3.0.0/16 --opt vni=3 --opt bridge=";
    assertThat(site.refused(newer, third + "eth0 x"))
        .contains("option bridge: \"eth0\" is a link of this host, and no bridge");
    assertThat(site.refused(newer, third + "docker0 x"))
        .contains("\"docker0\" is a bridge of Docker's own: choose another name");
    assertThat(site.refused(newer, third + "br-of-the-user1 x"))
        .contains("must not be longer than 12 characters");
    assertThat(site.refused(newer, third + "br-down x"))
        .contains("bridge br-down, which is yours, is down: ip link set br-down up");
    sh(newer, "ip link delete br-of-the-user1 && ip link delete br-down");
  }

  private static String gateway(Container container, int last) {
    return Site.at(container.address(), last);
  }

  private static String mac(Container container) {
    String shown = container.in("ip", "-o", "link", "show", "eth0").orThrow().text();
    return shown.replaceFirst(".* link/ether ([0-9a-f:]+) .*", "$1");
  }

  private static String addresses(Host host) {
    return host.in("ip", "-4", "address", "show", "dev", "br-tun1").orThrow().out();
  }

  private static List<String> bridgeMacs() {
    return List.of(newer, older).stream()
        .map(host -> host.in("cat", "/sys/class/net/br-tun1/address").orThrow().text())
        .toList();
  }

  private static long hadBack(Host host) {
    return host.plugin()
        .log()
        .lines()
        .filter(line -> line.contains("nothing is missing from this host's records"))
        .count();
  }

  private static void sh(Host host, String command) {
    host.in("sh", "-c", command).orThrow();
  }
}
