package io.flannelvlan.tests.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Daemon;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Examples;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Podman;
import io.flannelvlan.tests.lab.Result;
import io.flannelvlan.tests.lab.Station;
import io.flannelvlan.tests.lab.Task;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Podman's containers on a host without Docker, beside pods of containerd and containers of Docker
 * on another.
 */
@ExtendWith(LogsOnFailure.class)
final class PodmanIT {

  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final String CONF = "cni/net.d/10-vlan002.conflist";

  private static Lab lab;
  private static Host here;
  private static Daemon daemon;
  private static Podman podman;
  private static Node node;
  private static Container one;
  private static Container two;

  /** It stays, so that this host stays in the VLAN. */
  private static Task mate;

  @BeforeAll
  static void boot() {
    lab = Lab.start();
    List<Host> hosts = lab.hosts(Engine.DOCKER_20_10, Engine.DOCKER_28);
    here = hosts.getFirst();
    Host there = hosts.getLast();
    node = Node.start(there, CONF);
    create(there, 1);
    create(there, 2);
    one = there.run("one", "vlan001");
    two = there.run("two", "vlan002");
    podman = new Podman(here);
    here.dockerd().stop();
    daemon = here.setting("RECLAIM_AFTER", "2s").packaged();
    daemon.start();
    podman.settings(Examples.text("podman/containers.conf"));
    podman.configure("10-vlan002.conflist", Examples.text(CONF));
    mate = podman.run("mate", "vlan002", "--publish", "8080:80");
  }

  @AfterAll
  static void takeDown() {
    node.close();
    lab.close();
  }

  @Test
  void thoseOfPodmanContainerdAndDockerInOneVlanReachEachOtherAndNoneTheOtherVlan() {
    assertThat(podman.podman("info", "--format", "{{.Host.NetworkBackend}}").orThrow().text())
        .isEqualTo("cni");
    Task box = podman.run("box", "vlan002");
    Node.Replica pod = node.run("pod", Map.of());
    Node.Replica stranger = node.run("stranger", Map.of("flannelvlan.io/networks", "vlan001"));
    List<Station> all = List.of(box, mate, pod.task(), two);
    for (Station from : all) {
      for (Station to : all) {
        assertThat(from.reaches(to.address())).as(from.name() + " " + to.name()).isTrue();
      }
      for (Station other : List.of(one, stranger.task())) {
        assertThat(from.pings(other.address())).as(from.name() + " " + other.name()).isFalse();
        assertThat(other.pings(from.address())).as(other.name() + " " + from.name()).isFalse();
      }
    }
    // By name and by address, and to the outside under the host's address.
    assertThat(two.whoAnswers(box.address())).contains("box");
    assertThat(pod.task().seenAs(box.address())).contains(pod.address());
    assertThat(box.seenAs(lab.outside().address())).contains(here.address());
    // The last of the chain had its turn.
    assertThat(box.in("cat", "/proc/sys/net/core/somaxconn").text()).isEqualTo("512");
    podman.remove("box").orThrow();
    pod.remove();
    stranger.remove();
  }

  @Test
  void publishedPortsAreReachedFromOutsideFromTheHostAndFromTheVlanUntilTheirContainerGoes() {
    Traces before = traces();
    Task web = podman.run("web", "vlan002", "--publish", "8081:80");
    String port = here.address() + ":8081";
    assertThat(lab.outside().whoAnswers(port)).contains("web");
    assertThat(here.whoAnswers(port)).contains("web");
    assertThat(mate.whoAnswers(port)).contains("web");
    assertThat(two.whoAnswers(port)).contains("web");
    assertThat(web.whoAnswers(port)).contains("web");
    podman.remove("web").orThrow();
    assertThat(lab.outside().whoAnswers(port)).isEmpty();
    before.awaitAgain(lab, here);
  }

  @Test
  void whatTheChainedFirewallAcceptsOurTableStillDrops() {
    String address = mate.address();
    assertThat(here.withEnginesTools("iptables-save").orThrow().out())
        .contains("-A CNI-FORWARD -s " + address + "/32 -j ACCEPT");
    assertThat(mate.pings(one.address())).isFalse();
    // From the outside nothing leads in, save for the port that is published.
    lab.outside().in("ip", "route", "add", address, "via", here.address()).orThrow();
    assertThat(lab.outside().pings(address)).isFalse();
    assertThat(lab.outside().whoAnswers(address)).isEmpty();
    assertThat(lab.outside().whoAnswers(here.address() + ":8080")).contains("mate");
    lab.outside().in("ip", "route", "delete", address).orThrow();
    // And the other way round: a host that drops what nobody accepts lets the VLAN's packets pass.
    here.withEnginesTools("iptables", "-P", "FORWARD", "DROP").orThrow();
    assertThat(mate.reaches(two.address())).isTrue();
    assertThat(two.reaches(address)).isTrue();
    assertThat(Await.within(PATIENCE, () -> mate.seenAs(lab.outside().address()).isPresent()))
        .isTrue();
    here.withEnginesTools("iptables", "-P", "FORWARD", "ACCEPT").orThrow();
  }

  @Test
  void addressAndMacAreHadByAskingAndATakenOneIsRefusedInASentence() {
    Traces before = traces();
    String wanted = mate.address().replaceFirst("\\d+$", "88");
    Task fixed =
        podman.run("fixed", "vlan002", "--ip", wanted, "--mac-address", "02:00:00:00:00:88");
    assertThat(fixed.address()).isEqualTo(wanted);
    assertThat(fixed.in("ip", "link", "show", "eth0").out()).contains("02:00:00:00:00:88");
    assertThat(two.reaches(wanted)).isTrue();
    Result refused = podman.tryRun("second", "vlan002", "--ip", wanted);
    assertThat(refused.ok()).isFalse();
    assertThat(refused.err()).contains(wanted);
    podman.remove("second");
    podman.remove("fixed").orThrow();
    before.awaitAgain(lab, here);
  }

  @Test
  void theDaemonMayBeAwayWhenAContainerIsRemovedAndNothingIsLeftOfItLater() {
    Traces before = traces();
    Task gone = podman.run("gone", "vlan002", "--publish", "8082:80");
    String address = gone.address();
    daemon.kill();
    // Who asks in vain, and complains, is podman itself or the container's keeper, whoever is
    // first.
    podman.remove("gone");
    assertThat(podman.podman("ps", "--all", "--quiet", "--filter", "name=gone").out()).isEmpty();
    daemon.start();
    before.awaitAgain(lab, here);
    assertThat(Traces.addresses(lab)).doesNotContain(address);
    assertThat(mate.reaches(two.address())).isTrue();
  }

  @Test
  void nothingIsLeftOfAContainerThatCrashedTogetherWithItsKeeper() {
    Traces before = traces();
    podman.run("crashed", "vlan002", "--publish", "8083:80");
    podman.crash("crashed");
    podman.remove("crashed").orThrow();
    before.awaitAgain(lab, here);
    // A new one of that name finds nothing in its way.
    Task again = podman.run("crashed", "vlan002", "--publish", "8083:80");
    assertThat(again.reaches(two.address())).isTrue();
    podman.remove("crashed").orThrow();
    before.awaitAgain(lab, here);
  }

  @Test
  void containersRunOnThroughTheDaemonsRestartAndStopAndStartOfTheirOwn() {
    daemon.kill();
    assertThat(mate.pings(two.address())).isTrue();
    daemon.start();
    assertThat(mate.reaches(two.address())).isTrue();
    Traces before = traces();
    podman.run("twice", "vlan002");
    podman.podman("stop", "--time", "0", "twice").orThrow();
    before.awaitAgain(lab, here);
    podman.podman("start", "twice").orThrow();
    assertThat(podman.task("twice").reaches(two.address())).isTrue();
    podman.remove("twice").orThrow();
    before.awaitAgain(lab, here);
  }

  @Test
  void withoutDockerToAskContainersRunOnThroughTheLossOfTheStateDirectoryAndNewOnesComeBeside() {
    String address = mate.address();
    Traces before = traces();
    daemon.kill();
    here.in("sh", "-c", "rm -r " + here.stateDir() + "/*").orThrow();
    daemon.start();
    Await.until(
        PATIENCE, () -> daemon.log(), () -> daemon.log().contains("nobody is at Docker's socket"));
    before.awaitAgain(lab, here);
    assertThat(mate.address()).isEqualTo(address);
    assertThat(mate.reaches(two.address())).isTrue();
    assertThat(mate.pings(one.address())).isFalse();
    // Also in a VLAN that was not here before.
    podman.configure(
        "20-vlan001.conflist", Examples.text(CONF).replace("\"vlan002\"", "\"vlan001\""));
    Task first = podman.run("first", "vlan001");
    assertThat(first.reaches(one.address())).isTrue();
    assertThat(first.pings(address)).isFalse();
    podman.remove("first").orThrow();
    before.awaitAgain(lab, here);
  }

  private static Traces traces() {
    return Traces.of(lab, here);
  }

  private static void create(Host host, int vlan) {
    host.docker(
        ("network create -d flannelvlan --ipam-driver flannelvlan"
                + " --subnet 10.%1$d.0.0/16 --opt vni=%1$d vlan00%1$d".formatted(vlan))
            .split(" "));
  }
}
