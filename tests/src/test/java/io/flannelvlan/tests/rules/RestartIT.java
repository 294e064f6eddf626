package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Daemon;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Leeway;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Traffic;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Networks, pools and endpoints outlive the plugin's process and dockerd's; nobody replays them.
 */
@ExtendWith(LogsOnFailure.class)
final class RestartIT {
  private static final String VLAN001 = OURS + "--subnet 10.1.0.0/16 --opt vni=1 vlan001";
  private static final String VLAN002 = OURS + "--subnet 10.2.0.0/16 --opt vni=2 vlan002";
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration SERVING = Leeway.over(Duration.ofSeconds(1));

  /** The ways in which a daemon ends. */
  private static final List<Consumer<Daemon>> ENDS = List.of(Daemon::stop, Daemon::kill);

  private static Site site;
  private static Host newer;
  private static Host older;

  /** Its containers outlive dockerd. */
  private static Host live;

  @BeforeAll
  static void boot() {
    site = new Site(Engine.DOCKER_28, Engine.DOCKER_20_10);
    newer = site.host(1);
    older = site.host(2);
    live = site.join(Engine.DOCKER_28, "--live-restore");
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  /** Removing what is older than a restart must leave nothing behind. */
  @AfterEach
  void clear() {
    site.requireInvariantsAndClear();
  }

  @Test
  void pluginsEndAndReturnInterruptNoTraffic() {
    createBothOn(newer, older);
    Container a = newer.run("ca", "vlan001", "--publish", "8080:80");
    Container b = older.run("cb", "vlan001");
    Container c = newer.run("cc", "vlan001");
    String outside = newer.address() + ":8080";
    for (Consumer<Daemon> end : ENDS) {
      Traffic traffic = new Traffic(site.lab()).between(a, b).between(a, c).between(b, c);
      end.accept(newer.plugin());
      end.accept(older.plugin());
      assertThat(b.pings(a.address())).isTrue();
      assertThat(c.pings(a.address())).isTrue();
      assertThat(site.lab().outside().whoAnswers(outside)).contains("ca");
      assertThat(timeToServing(newer)).isLessThan(SERVING);
      assertThat(timeToServing(older)).isLessThan(SERVING);
      Container late = newer.run("late", "vlan001");
      assertThat(late.reaches(b.address())).isTrue();
      assertThat(older.run("late", "vlan001").reaches(late.address())).isTrue();
      assertThat(site.lab().outside().whoAnswers(outside)).contains("ca");
      traffic.requireUninterrupted();
      older.container("late").remove();
      late.remove();
    }
  }

  @Test
  void containersWithARestartPolicyComeBackOnTheirVlanWhenDockerdDoes() {
    createBothOn(newer, older);
    Container far = live.run("far", vlan001On(live));
    onBoth(host -> {
      host.run("c1", "vlan001", "--restart", "always", "--publish", "8080:80");
      host.run("c2", "vlan002", "--restart", "always");
      host.run("once", "vlan001");
      for (Consumer<Daemon> end : ENDS) {
        end.accept(host.dockerd());
        host.dockerd().start();
        comesBack(host, "c1");
        comesBack(host, "c2");
        assertThat(host.container("c1").address("vlan001")).startsWith("10.1.");
        assertThat(host.container("c2").address("vlan002")).startsWith("10.2.");
        assertThat(far.reaches(host.container("c1").address())).isTrue();
        assertThat(far.pings(host.container("c2").address())).isFalse();
        assertThat(host.container("c2").pings(host.container("c1").address())).isFalse();
        assertThat(site.lab().outside().whoAnswers(host.address() + ":8080")).contains("c1");
        requireAddresses(host, "c1", "c2");
        assertThat(host.run("late", "vlan001").reaches(far.address())).isTrue();
        host.container("late").remove();
      }
    });
  }

  @Test
  void liveRestoredContainersKeepTheirTrafficAndAreReleasedAfterwards() {
    createBothOn(live, newer);
    Container a = live.run("ca", "vlan001", "--publish", "8080:80");
    Container b = newer.run("cb", "vlan001");
    Container c = live.run("cc", "vlan001");
    for (Consumer<Daemon> end : ENDS) {
      Traffic traffic = new Traffic(site.lab()).between(a, b).between(c, a);
      String address = a.address();
      end.accept(live.dockerd());
      live.dockerd().start();
      assertThat(a.address()).isEqualTo(address);
      assertThat(site.lab().outside().whoAnswers(live.address() + ":8080")).contains("ca");
      assertThat(live.run("late", "vlan001").reaches(b.address())).isTrue();
      live.container("late").remove();
      traffic.requireUninterrupted();
    }
    a.remove();
    assertThat(site.lab().outside().whoAnswers(live.address() + ":8080")).isEmpty();
    assertThat(live.run("again", "vlan001", "--publish", "8080:80").reaches(b.address())).isTrue();
    assertThat(site.lab().outside().whoAnswers(live.address() + ":8080")).contains("again");
  }

  @Test
  void pluginAndDockerdThatEndTogetherComeBackTogether() {
    createBothOn(newer, older);
    onBoth(host -> {
      host.run("c1", "vlan001", "--restart", "always");
      for (Consumer<Daemon> end : ENDS) {
        end.accept(host.plugin());
        host.dockerd().kill();
        host.plugin().start();
        host.dockerd().start();
        comesBack(host, "c1");
        requireAddresses(host, "c1");
      }
    });
    assertThat(newer.container("c1").reaches(older.container("c1").address())).isTrue();
  }

  @Test
  void hostThatLosesItsPowerComesBackWithItsContainers() {
    createBothOn(newer, older);
    Container b = older.run("cb", "vlan001");
    newer.run("c1", "vlan001", "--restart", "always", "--publish", "8080:80");
    List<String> identity = identity(newer);
    newer.powerOff();
    newer.powerOn();
    newer.plugin().start();
    newer.dockerd().start();
    comesBack(newer, "c1");
    Await.until(
        PATIENCE,
        () -> identity + " became " + identity(newer),
        () -> identity(newer).equals(identity));
    assertThat(b.reaches(newer.container("c1").address())).isTrue();
    assertThat(site.lab().outside().whoAnswers(newer.address() + ":8080")).contains("c1");
    requireAddresses(newer, "c1");
  }

  @Test
  void containersOfDockersOwnIpamComeBackAfterDockerdWasKilled() {
    site.makeByHand("vlan001", "10.1.0.0/16", 1);
    onBoth(host -> {
      String third = host == newer ? "20" : "30";
      site.create(host, "-d flannelvlan --subnet 10.1." + third + ".0/24 x");
      host.run("c1", "x", "--restart", "always", "--publish", "8080:80");
      host.run("c2", "x", "--restart", "always");
      host.dockerd().kill();
      host.dockerd().start();
      comesBack(host, "c1");
      comesBack(host, "c2");
      assertThat(host.container("c1").reaches(host.container("c2").address())).isTrue();
      assertThat(site.lab().outside().whoAnswers(host.address() + ":8080")).contains("c1");
    });
    assertThat(newer.container("c1").reaches(older.container("c2").address())).isTrue();
  }

  /** From the start of the process to the answer to a verb that needs the journal. */
  private static Duration timeToServing(Host host) {
    long start = System.nanoTime();
    host.plugin().start();
    String nobody = Bodies.endpoint("0".repeat(64), "0".repeat(64));
    assertThat(Wire.call(host, "NetworkDriver.EndpointOperInfo", nobody).ok()).isTrue();
    return Duration.ofNanos(System.nanoTime() - start);
  }

  /** Of each VLAN, what the host is to its peers, as etcd has it, and its link. */
  private static List<String> identity(Host host) {
    return Stream.of(1, 2)
        .map(vni ->
            site.leaseValues(host, "vlan00" + vni) + " by " + site.mac(host, "flannel." + vni))
        .toList();
  }

  /** The hosts share no engine, and mostly wait. */
  private static void onBoth(Consumer<Host> work) {
    List<CompletableFuture<Void>> working =
        Stream.of(newer, older)
            .map(host ->
                CompletableFuture.runAsync(() -> work.accept(host), Thread::startVirtualThread))
            .toList();
    working.forEach(CompletableFuture::join);
  }

  private static void createBothOn(Host... hosts) {
    for (Host host : hosts) {
      site.create(host, VLAN001);
      site.create(host, VLAN002);
    }
  }

  private static String vlan001On(Host host) {
    site.create(host, VLAN001);
    return "vlan001";
  }

  private static void comesBack(Host host, String container) {
    String template = "{{.State.Running}} {{.State.Pid}}";
    Await.until(
        PATIENCE,
        () -> host.docker("inspect", container).out(),
        () ->
            host.docker("inspect", "--format", template, container)
                .text()
                .matches("true [1-9]\\d*"));
  }

  /** Etcd has the addresses of these containers for the host, and no other. */
  private static void requireAddresses(Host host, String... containers) {
    Await.until(
        PATIENCE,
        () -> host.name() + " holds " + site.addresses(host) + " in etcd",
        () -> site.addresses(host).equals(site.addressesOf(host, containers)));
  }
}
