package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LogsOnFailure;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Hosts on two wires: VLAN 1 goes over eth0, VLAN 2 over eth1. */
@ExtendWith(LogsOnFailure.class)
final class UnderlaysIT {

  /** What leaves for a peer, by link and VNI: bits 96 to 119 behind UDP's header. */
  private static final String COUNTERS =
      """
      table inet counted {
        chain output {
          type filter hook output priority 0
          oifname "eth0" udp dport 8472 @th,96,24 1 counter comment "eth0 1"
          oifname "eth0" udp dport 8472 @th,96,24 2 counter comment "eth0 2"
          oifname "eth1" udp dport 8472 @th,96,24 1 counter comment "eth1 1"
          oifname "eth1" udp dport 8472 @th,96,24 2 counter comment "eth1 2"
        }
      }
      """;

  private static Site site;
  private static Host newer;
  private static Host older;
  private static Container a;
  private static Container b;
  private static Container c;
  private static Container d;

  @BeforeAll
  static void boot() {
    site = new Site(Engine.DOCKER_28, Engine.DOCKER_20_10);
    newer = site.host(1);
    older = site.host(2);
    site.lab().secondWire();
    for (Host host : List.of(newer, older)) {
      host.plugIntoSecondWire();
      site.create(host, OURS + "--subnet 10.1.0.0/16 --opt vni=1 --opt iface=eth0 vlan001");
      site.create(host, OURS + "--subnet 10.2.0.0/16 --opt vni=2 --opt iface=eth1 vlan002");
    }
    a = newer.run("a1", "vlan001");
    b = older.run("b1", "vlan001");
    c = newer.run("c1", "vlan002");
    d = older.run("d1", "vlan002");
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @BeforeEach
  void bothWork() {
    assertThat(a.reaches(b.address())).isTrue();
    assertThat(c.reaches(d.address())).isTrue();
  }

  @Test
  void eachVlanGoesOverItsOwnWireAndNoOther() {
    for (Host host : List.of(newer, older)) {
      host.in("nft", COUNTERS).orThrow();
      assertThat(tunnel(host, 1)).contains("local " + host.address() + " dev eth0");
      assertThat(tunnel(host, 2)).contains("local " + second(host) + " dev eth1");
    }
    assertThat(a.downloads(b.address())).isTrue();
    assertThat(c.downloads(d.address())).isTrue();
    for (Host host : List.of(newer, older)) {
      assertThat(counted(host)).containsExactly("eth0 1", "eth1 2");
      host.in("nft", "delete", "table", "inet", "counted").orThrow();
    }
    assertThat(leaseHolders("vlan001")).containsExactly(newer.address(), older.address());
    assertThat(leaseHolders("vlan002")).containsExactly(second(newer), second(older));
  }

  @Test
  void aWireThatIsCutStopsItsVlanAlone() {
    newer.in("ip", "link", "set", "eth1", "down").orThrow();
    assertThat(c.pings(d.address())).isFalse();
    assertThat(a.pings(b.address())).isTrue();
    assertThat(b.downloads(a.address())).isTrue();
    newer.in("ip", "link", "set", "eth1", "up").orThrow();
    assertThat(c.reaches(d.address())).isTrue();
  }

  @Test
  void bothAreThereAgainAfterThePluginsEnd() {
    for (Host host : List.of(newer, older)) {
      host.plugin().kill();
      host.plugin().start();
    }
    assertThat(newer.run("late", "vlan002").reaches(d.address())).isTrue();
    newer.docker("rm", "--force", "late");
    for (Host host : List.of(newer, older)) {
      assertThat(tunnel(host, 1)).contains("dev eth0");
      assertThat(tunnel(host, 2)).contains("local " + second(host) + " dev eth1");
    }
  }

  private static String second(Host host) {
    return host.address().replace("198.51.100.", "203.0.113.");
  }

  private static String tunnel(Host host, int vni) {
    return host.in("ip", "-details", "link", "show", "flannel." + vni).orThrow().out();
  }

  /** By which link and with which VNI anything left. */
  private static List<String> counted(Host host) {
    List<String> all = new ArrayList<>();
    host.in("nft", "list", "table", "inet", "counted")
        .orThrow()
        .out()
        .lines()
        .filter(line -> line.contains("counter packets ") && !line.contains("packets 0 "))
        .forEach(line -> all.add(line.replaceFirst(".*comment \"(.*)\".*", "$1")));
    return all;
  }

  private static List<String> leaseHolders(String vlan) {
    String prefix = "/coreos.com/network/" + vlan + "/subnets/";
    return site.etcd().keys(prefix).stream()
        .map(key -> site.etcd().get(key).orElse(""))
        .map(value -> value.replaceFirst(".*\"PublicIP\":\"([^\"]*)\".*", "$1"))
        .sorted()
        .toList();
  }
}
