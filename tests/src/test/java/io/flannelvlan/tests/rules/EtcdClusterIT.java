package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Daemon;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Etcd;
import io.flannelvlan.tests.lab.EtcdCluster;
import io.flannelvlan.tests.lab.HandlerTimes;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Traffic;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** An etcd of three members loses one, its leader, and most of it. */
@ExtendWith(LogsOnFailure.class)
final class EtcdClusterIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static Site site;
  private static EtcdCluster cluster;
  private static Host newer;
  private static Host older;

  /** The VLAN made last. */
  private static int vlan;

  @BeforeAll
  static void boot() {
    site = new Site(Engine.DOCKER_28, Engine.DOCKER_20_10);
    cluster = site.lab().etcdCluster();
    newer = site.host(1);
    older = site.host(2);
    for (Host host : List.of(newer, older)) {
      host.pluginFirst().setting("ETCD_ENDPOINTS", cluster.endpoints()).plugin().restart();
    }
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @Test
  void theLossOfAMemberOrOfTheLeaderInterruptsNothingAndSoonHindersNothing() {
    List<Consumer<Daemon>> losses = List.of(Daemon::kill, Daemon::freeze);
    for (Consumer<Daemon> loss : losses) {
      for (boolean leads : new boolean[] {true, false}) {
        Container a = pair();
        Traffic traffic = new Traffic(site.lab()).between(a, older.container("b" + vlan));
        Etcd leader = cluster.leader();
        Etcd lost = leads ? leader : other(leader);
        HandlerTimes times = new HandlerTimes(newer);
        loss.accept(lost.daemon());
        // What needs only what this host has waits for nobody.
        Container c = newer.run("c" + vlan, "vlan" + vlan);
        assertThat(c.reaches(older.container("b" + vlan).address())).isTrue();
        assertThat(times.slowest()).isLessThan(HandlerTimes.MOST);
        // What needs etcd waits for the members to agree on a leader, and no longer.
        Await.until(PATIENCE, () -> "no VLAN can be made", () -> creates(newer, vlan + 1));
        newer.docker("network", "rm", "vlan" + (vlan + 1));
        Container b = pair();
        assertThat(b.reaches(older.container("b" + vlan).address())).isTrue();
        traffic.requireUninterrupted();
        cluster.revive(List.of(lost));
      }
    }
  }

  @Test
  void aClusterWithoutItsMajorityIsAnEtcdThatIsAway() {
    Container a = pair();
    String network = "vlan" + vlan;
    Etcd one = cluster.leader();
    Etcd two = other(one);
    one.daemon().kill();
    two.daemon().kill();
    Container b = older.container("b" + vlan);
    Container c = newer.run("cc", network);
    assertThat(c.reaches(b.address())).isTrue();
    assertThat(a.reaches(b.address())).isTrue();
    assertThat(creates(newer, vlan + 1)).isFalse();
    cluster.revive(List.of(one, two));
    String key = "/flannelvlan/addresses/vlan%03d/%s".formatted(vlan, c.address());
    Await.until(PATIENCE, () -> "no " + key, () -> two.get(key).isPresent());
    assertThat(pair().reaches(older.container("b" + vlan).address())).isTrue();
  }

  private static Etcd other(Etcd member) {
    return cluster.members().stream().filter(e -> e != member).findFirst().orElseThrow();
  }

  /** A container on each host, in a VLAN that is new; the newer host's. */
  private static Container pair() {
    vlan++;
    for (Host host : List.of(newer, older)) {
      // Each by its own connection, which may have been with the member that is lost.
      Await.until(PATIENCE, () -> "no VLAN on " + host.name(), () -> creates(host, vlan));
    }
    older.run("b" + vlan, "vlan" + vlan);
    return newer.run("a" + vlan, "vlan" + vlan);
  }

  private static boolean creates(Host host, int number) {
    String options = OURS + "--subnet 10.%d.0.0/16 --opt vni=%d vlan%d";
    return site.tryCreate(host, options.formatted(number, number, number)).ok();
  }
}
