package io.flannelvlan.tests.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Pod;
import io.flannelvlan.tests.lab.Result;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code flannelvlan attach} and {@code detach}: links for what runs already. */
@ExtendWith(LogsOnFailure.class)
final class AttachIT {

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private static Lab lab;
  private static Host newer;
  private static Host older;
  private static Container one;
  private static Container two;

  @BeforeAll
  static void boot() {
    lab = Lab.start();
    List<Host> hosts = lab.hosts(Engine.DOCKER_28, Engine.DOCKER_20_10);
    newer = hosts.getFirst();
    older = hosts.getLast();
    hosts.forEach(host -> host.setting("RECLAIM_AFTER", "2s").plugin().start());
    create(older, 1);
    create(older, 2);
    create(newer, 1);
    one = older.run("one", "vlan001");
    two = older.run("two", "vlan002");
  }

  @AfterAll
  static void takeDown() {
    lab.close();
  }

  @Test
  void aNamespaceGetsLinksInTwoVlansByItsFileAndByAProcess() {
    Pod pod = newer.pod("box");
    assertThat(newer.flannelvlan("attach", pod.netns(), "vlan002").orThrow().out())
        .startsWith("net1 has 10.2.");
    assertThat(pod.reaches(two.address())).isTrue();
    assertThat(two.reaches(pod.address("net1"))).isTrue();
    newer.flannelvlan("attach", pod.netns(), "vlan001", "--ifname", "front").orThrow();
    assertThat(pod.reaches(one.address())).isTrue();
    // It leads nowhere else: what runs already has a way out of its own, or none.
    assertThat(pod.in("ip", "route").out()).doesNotContain("default");
    assertThat(refused("attach", pod.netns(), "vlan001", "--ifname", "front"))
        .contains("was added already");
    newer.flannelvlan("detach", pod.netns(), "vlan002").orThrow();
    assertThat(pod.in("ip", "-o", "link").out()).contains("front").doesNotContain("net1");
    assertThat(refused("detach", pod.netns(), "vlan002")).contains("has no link in VLAN vlan002");
    newer.flannelvlan("detach", pod.netns(), "vlan001").orThrow();

    Container plain = newer.run("plain", "none");
    String pid = plain.inspect("{{.State.Pid}}");
    newer.flannelvlan("attach", pid, "vlan002", "--ifname", "net7").orThrow();
    assertThat(plain.reaches(two.address())).isTrue();
    newer.flannelvlan("detach", pid, "vlan002").orThrow();
    assertThat(plain.pings(two.address())).isFalse();
    plain.remove();
    pod.vanish();
  }

  @Test
  void aProcessThatEndsLeavesNothing() {
    Container plain = newer.run("brief", "none");
    newer.flannelvlan("attach", plain.inspect("{{.State.Pid}}"), "vlan002").orThrow();
    assertThat(plain.reaches(two.address())).isTrue();
    List<String> before = lab.etcd().keys("/flannelvlan/addresses/vlan002/");
    plain.remove();
    Await.until(
        PATIENCE,
        () -> "" + before,
        () -> lab.etcd().keys("/flannelvlan/addresses/vlan002/").size() == before.size() - 1);
  }

  @Test
  void dockersContainersAreConnectedByDocker() {
    for (Host host : List.of(newer, older)) {
      Container plain = host.run("docked", "bridge");
      host.flannelvlan("attach", "docked", "vlan001").orThrow();
      assertThat(plain.inspect("{{json .NetworkSettings.Networks}}")).contains("vlan001");
      assertThat(plain.reaches(one.address())).isTrue();
      host.flannelvlan("detach", "docked", "vlan001").orThrow();
      assertThat(plain.inspect("{{json .NetworkSettings.Networks}}")).doesNotContain("vlan001");
      plain.remove();
    }
    Container named = newer.run("named", "bridge");
    newer.flannelvlan("attach", "named", "vlan001").orThrow();
    String given = named.inspect("{{(index .NetworkSettings.Networks \"vlan001\").IPAddress}}");
    String wanted = given.replaceFirst("[0-9]+$", "99");
    newer.flannelvlan("detach", "named", "vlan001").orThrow();
    newer.flannelvlan("attach", "named", "vlan001", "--ip", wanted).orThrow();
    assertThat(named.in("ip", "-o", "address", "show", "dev", "eth1").out()).contains(wanted);
    assertThat(refused("attach", "named", "vlan001", "--ifname", "back"))
        .contains("leave out --ifname");
    named.remove();
  }

  @Test
  void whatCannotBeDoneIsSaidInOneSentence() {
    assertThat(refused("attach", "nobody", "vlan001")).contains("nobody");
    assertThat(refused("attach", "nobody", "vlan002")).contains("no Docker network on this host");
    assertThat(refused("attach", "/run/netns/none", "vlan001")).contains("no network namespace");
    assertThat(refused("attach", "1", "vlan001")).contains("no network namespace");
    Pod pod = newer.pod("odd");
    assertThat(refused("attach", pod.netns(), "vlan077")).contains("no VLAN vlan077");
    assertThat(refused("attach", pod.netns(), "vlan001", "--ifname", "a/b")).contains("a/b");
    assertThat(refused("attach", pod.netns(), "vlan001", "--ip", "x")).contains("ip: ");
    assertThat(refused("attach", pod.netns(), "vlan001", "--ip", "10.9.0.1")).contains("10.9.0.1");
    assertThat(pod.in("ip", "-o", "link").out().lines()).hasSize(1);
    pod.vanish();
  }

  private static String refused(String... words) {
    Result result = newer.flannelvlan(words);
    assertThat(result.exit()).as(result.toString()).isEqualTo(1);
    return result.err();
  }

  private static void create(Host host, int vlan) {
    host.docker(
        ("network create -d flannelvlan --ipam-driver flannelvlan"
                + " --subnet 10.%1$d.0.0/16 --opt vni=%1$d vlan00%1$d".formatted(vlan))
            .split(" "));
  }
}
