package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Daemon;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Faltering;
import io.flannelvlan.tests.lab.HandlerTimes;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Leeway;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Result;
import io.flannelvlan.tests.lab.Traffic;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** While etcd is away, what this host has goes on and can grow; what needs etcd says so soon. */
@ExtendWith(LogsOnFailure.class)
final class EtcdAwayIT {
  private static final String RANGE = "10.1.0.0/16";

  /** Of no VLAN yet. */
  private static final String UNKNOWN = "10.3.0.0/16";

  private static final String VLAN001 = OURS + "--subnet " + RANGE + " --opt vni=1 vlan001";
  private static final String VLAN002 = OURS + "--subnet 10.2.0.0/16 --opt vni=2 vlan002";

  /** One deadline of a call to etcd; docker takes its part of the leeway. */
  private static final Duration SOON = Leeway.over(Duration.ofSeconds(2));

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private static final int FLAPS = 100;

  /** Mostly the way there is cut, which is faster than etcd is to start. */
  private static final String RESET =
      " OUTPUT -p tcp --dport 2379 -j REJECT --reject-with tcp-reset";

  /** What the plugin's log says of it. */
  private static final String AWAY = "WARN  etcd is away at";

  private static final String BACK = "INFO  etcd answers at";

  /** How etcd goes away, and how it returns. */
  private record Absence(Consumer<Daemon> begin, Consumer<Daemon> end) {}

  private static final List<Absence> ABSENCES =
      List.of(new Absence(Daemon::kill, Daemon::start), new Absence(Daemon::freeze, Daemon::thaw));

  private static Site site;
  private static Host newer;
  private static Host older;
  private static Host third;

  @BeforeAll
  static void boot() {
    site = new Site(Engine.DOCKER_28, Engine.DOCKER_20_10, Engine.DOCKER_28);
    newer = site.host(1);
    older = site.host(2);
    third = site.host(3);
    List.of(newer, older).forEach(host -> host.pluginFirst().plugin().restart());
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @AfterEach
  void clear() {
    // A failed test leaves etcd away, or the way there cut.
    newer.in(("iptables -D" + RESET).split(" "));
    Daemon etcd = site.etcd().daemon();
    if (etcd.alive()) {
      etcd.thaw();
    } else {
      etcd.start();
    }
    site.requireInvariantsAndClear();
  }

  @Test
  void networkThatNeedsEtcdIsRefusedSoonAndLeavesNothing() {
    for (Absence absence : ABSENCES) {
      List<String> before = site.etcd().keys("/");
      absence.begin.accept(site.etcd().daemon());
      for (Host host : List.of(newer, older)) {
        // The first call finds out, the next one knows.
        assertThat(refusedSoon(host)).contains("etcd", "198.51.100.1:2379", "check");
        assertThat(refusedSoon(host)).contains("etcd", "198.51.100.1:2379", "check");
        assertThat(site.kernelRemains(host)).isEmpty();
      }
      absence.end.accept(site.etcd().daemon());
      assertThat(site.etcd().keys("/")).isEqualTo(before);
      for (Host host : List.of(newer, older)) {
        Await.until(PATIENCE, () -> "no VLAN", () -> site.tryCreate(host, VLAN001).ok());
        host.docker("network", "rm", "vlan001");
        site.nothingRemains(host);
      }
      site.etcd().delete("/coreos.com/network/vlan001/config");
      site.etcd().delete("/flannelvlan/registry");
    }
  }

  @Test
  void containersStartAndStopOnTheVlansThatTheHostHasAndEtcdHearsOfItLater() {
    for (Absence absence : ABSENCES) {
      for (Host host : List.of(newer, older)) {
        site.create(host, VLAN001);
        host.run("old1", "vlan001");
        host.run("old2", "vlan001");
      }
      Traffic traffic =
          new Traffic(site.lab()).between(newer.container("old1"), older.container("old1"));
      List<HandlerTimes> times = Stream.of(newer, older).map(HandlerTimes::new).toList();
      absence.begin.accept(site.etcd().daemon());
      for (Host host : List.of(newer, older)) {
        host.container("old2").remove();
        host.run("new1", "vlan001", "--publish", "8080:80");
        // A further network of a VLAN that is here needs no etcd either.
        site.create(host, VLAN001.replace(" vlan001", " second"));
        host.run("new2", "second");
      }
      Container a = newer.container("new1");
      assertThat(a.reaches(older.container("new1").address())).isTrue();
      assertThat(a.reaches(older.container("new2").address())).isTrue();
      assertThat(a.reaches(newer.container("new2").address())).isTrue();
      assertThat(times).allMatch(handlers -> handlers.slowest() < HandlerTimes.MOST);
      absence.end.accept(site.etcd().daemon());
      for (Host host : List.of(newer, older)) {
        holds(host, "old1", "new1", "new2");
      }
      traffic.requireUninterrupted();
      site.clear();
    }
  }

  @Test
  void pluginThatStartsWithoutEtcdAnswersAtOnceAndServesWhatItsJournalKnows() {
    for (Absence absence : ABSENCES) {
      site.create(newer, VLAN001);
      site.create(older, VLAN001);
      Container far = older.run("far", "vlan001");
      Container near = newer.run("near", "vlan001");
      assertThat(near.reaches(far.address())).isTrue();
      absence.begin.accept(site.etcd().daemon());
      newer.plugin().kill();
      newer.plugin().launch();
      Await.until(PATIENCE, () -> "no socket", () -> Wire.answers(newer));
      long start = System.nanoTime();
      assertThat(Wire.call(newer, "Plugin.Activate", "").ok()).isTrue();
      assertThat(Wire.call(newer, "NetworkDriver.GetCapabilities", "").ok()).isTrue();
      assertThat(Wire.call(newer, "IpamDriver.GetCapabilities", "").ok()).isTrue();
      assertThat(Wire.call(newer, "IpamDriver.GetDefaultAddressSpaces", "").ok()).isTrue();
      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .isLessThan(Leeway.over(Duration.ofSeconds(1)));

      assertThat(near.pings(far.address())).isTrue();
      assertThat(newer.run("new1", "vlan001").reaches(far.address())).isTrue();
      near.remove();
      absence.end.accept(site.etcd().daemon());
      holds(newer, "new1");
      site.clear();
    }
  }

  @Test
  void peersThatCameMeanwhileAreReachedWhenEtcdIsBack() {
    site.create(newer, VLAN002);
    Container near = newer.run("near", "vlan002");
    // Only this host loses etcd, which lives on for the others.
    String silence = " INPUT -p tcp --sport 2379 -j DROP";
    newer.in(("iptables -A" + silence).split(" ")).orThrow();
    try {
      site.create(older, VLAN002);
      site.create(third, VLAN002);
      Container b = older.run("cb", "vlan002");
      Container c = third.run("cc", "vlan002");
      assertThat(b.reaches(c.address())).isTrue();
      assertThat(near.pings(b.address())).isFalse();
    } finally {
      newer.in(("iptables -D" + silence).split(" ")).orThrow();
    }
    String far = older.container("cb").address();
    Await.until(PATIENCE, () -> "peers stay unknown", () -> near.pings(far));
    assertThat(near.reaches(third.container("cc").address())).isTrue();
  }

  @Test
  void peersThatLeftMeanwhileAreForgottenWhenEtcdIsBackAndNotBefore() {
    site.create(newer, VLAN002);
    site.create(older, VLAN002);
    String lease = site.lease(older, "vlan002");
    Await.until(PATIENCE, () -> "no route", () -> routes(newer).contains(lease));
    site.etcd().daemon().freeze();
    newer.plugin().restart();
    assertThat(routes(newer)).contains(lease);
    site.etcd().daemon().thaw();
    older.docker("network", "rm", "vlan002");
    Await.until(PATIENCE, () -> "route stays", () -> !routes(newer).contains(lease));
  }

  @Test
  void anEtcdThatComesAndGoesAHundredTimesCostsNothing() {
    for (Host host : List.of(newer, older)) {
      site.create(host, VLAN001);
    }
    Container a = newer.run("ca", "vlan001");
    Traffic traffic = new Traffic(site.lab()).between(a, older.run("cb", "vlan001"));
    holds(newer, "ca");
    int before = openFiles(newer);
    long departures = said(newer, AWAY);
    long returns = said(newer, BACK);
    for (int flap = 1; flap <= FLAPS; flap++) {
      boolean ends = flap % 10 == 0;
      depart(ends);
      // What needs etcd finds out at once that it is away, and what does not goes on.
      assertThat(Wire.call(newer, "IpamDriver.RequestPool", Bodies.requestPool(UNKNOWN)).body())
          .contains("etcd");
      awaitSaid(newer, AWAY, departures + flap);
      String taken =
          Bodies.member(
              Wire.call(newer, "IpamDriver.RequestAddress", Bodies.requestAddress(RANGE)).body(),
              "Address");
      if (ends) {
        newer.run("late", "vlan001");
      }
      arrive(ends);
      awaitSaid(newer, BACK, returns + flap);
      if (ends) {
        newer.container("late").remove();
      }
      String release = Bodies.releaseAddress(RANGE, taken);
      assertThat(Wire.call(newer, "IpamDriver.ReleaseAddress", release).ok()).isTrue();
    }
    traffic.requireUninterrupted();
    holds(newer, "ca");
    site.create(newer, VLAN002);
    Await.until(
        PATIENCE,
        () -> openFiles(newer) + " files are open, and there were " + before,
        () -> openFiles(newer) <= before + 10);
  }

  /** It ends, or nothing reaches it from the one host, which is faster. */
  private static void depart(boolean ends) {
    if (ends) {
      site.etcd().daemon().kill();
    } else {
      newer.in(("iptables -A" + RESET).split(" ")).orThrow();
    }
  }

  private static void arrive(boolean ended) {
    if (ended) {
      site.etcd().daemon().start();
    } else {
      newer.in(("iptables -D" + RESET).split(" ")).orThrow();
    }
  }

  private static void awaitSaid(Host host, String words, long times) {
    Await.until(PATIENCE, () -> "it does not say: " + words, () -> said(host, words) == times);
  }

  private static long said(Host host, String words) {
    return host.plugin().log().lines().filter(line -> line.contains(words)).count();
  }

  /** Half a second it answers, half a second it does not. */
  @Test
  void aSlowEtcdMakesNoContainerSlow() {
    for (Host host : List.of(newer, older)) {
      site.create(host, VLAN001);
    }
    List<HandlerTimes> times = Stream.of(newer, older).map(HandlerTimes::new).toList();
    Faltering slow = new Faltering(site.etcd().daemon());
    slow.begin();
    try {
      for (int i = 0; i < 5; i++) {
        for (Host host : List.of(newer, older)) {
          host.run("cc" + i, "vlan001");
        }
        assertThat(newer.container("cc" + i).reaches(older.container("cc" + i).address())).isTrue();
      }
    } finally {
      assertThat(slow.end()).isGreaterThan(2);
    }
    assertThat(times).allMatch(handlers -> handlers.slowest() < HandlerTimes.MOST);
  }

  private static int openFiles(Host host) {
    try (Stream<Path> files =
        Files.list(Path.of("/proc", Long.toString(host.plugin().pid()), "fd"))) {
      return (int) files.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String routes(Host host) {
    return host.in("ip", "route").orThrow().out();
  }

  private static String refusedSoon(Host host) {
    long start = System.nanoTime();
    Result result = site.tryCreate(host, VLAN001);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(SOON);
    assertThat(result.ok()).isFalse();
    return result.err();
  }

  private static void holds(Host host, String... containers) {
    Await.until(
        PATIENCE,
        () -> host.name() + " holds " + site.addresses(host),
        () -> site.addresses(host).equals(site.addressesOf(host, containers)));
  }
}
