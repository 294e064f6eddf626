package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.invariants.JournalLook;
import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Daemon;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LogsOnFailure;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Whatever is missing when dockerd starts, it starts, and so do its containers. */
@ExtendWith(LogsOnFailure.class)
final class DockerdStartIT {
  private static final String VLAN001 = OURS + "--subnet 10.1.0.0/16 --opt vni=1 vlan001";
  private static final String VLAN002 = OURS + "--subnet 10.2.0.0/16 --opt vni=2 vlan002";
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** More than a busy machine makes of a start, and less than dockerd's patience with a plugin. */
  private static final Duration LEEWAY = Duration.ofSeconds(6);

  /** How etcd goes away, and how it returns. */
  private record Absence(Consumer<Daemon> begin, Consumer<Daemon> end) {}

  private static final List<Absence> ABSENCES =
      List.of(new Absence(Daemon::kill, Daemon::start), new Absence(Daemon::freeze, Daemon::thaw));

  private static Site site;
  private static Host newer;
  private static Host older;

  @BeforeAll
  static void boot() {
    site = new Site(Engine.DOCKER_28, Engine.DOCKER_20_10);
    newer = site.host(1);
    older = site.host(2);
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @AfterEach
  void clear() {
    Daemon etcd = site.etcd().daemon();
    if (etcd.alive()) {
      etcd.thaw();
    } else {
      etcd.start();
    }
    site.requireInvariantsAndClear();
  }

  @Test
  void anEtcdThatIsAwayDelaysNeitherDockerdNorItsContainers() {
    furnish(newer, older);
    furnish(older, newer);
    Map<Host, Duration> usual = new ConcurrentHashMap<>();
    onBoth(host -> {
      host.dockerd().stop();
      usual.put(host, started(host));
      comesBack(host);
    });
    for (Absence absence : ABSENCES) {
      absence.begin().accept(site.etcd().daemon());
      onBoth(host -> {
        host.dockerd().kill();
        assertThat(started(host)).isLessThan(usual.getOrDefault(host, Duration.ZERO).plus(LEEWAY));
        comesBack(host);
      });
      onBoth(host -> reachable(far(host), host));
      absence.end().accept(site.etcd().daemon());
    }
  }

  @Test
  void aHostThatBootsWhileEtcdIsAwayHasItsContainersAndTheirWayToOthers() {
    Container far = furnish(newer, older);
    Await.until(
        PATIENCE,
        () -> "the journal knows no peer",
        () ->
            JournalLook.at(newer.stateDir())
                .peers("vlan001")
                .anyMatch(site.lease(older, "vlan001")::equals));
    site.etcd().daemon().kill();
    newer.reboot();
    comesBack(newer);
    assertThat(newer.container("c1").reaches(far.address())).isTrue();
    assertThat(newer.container("c2").pings(far.address())).isFalse();
  }

  @Test
  void aPluginThatStartsTogetherWithDockerdServesIt() {
    furnish(newer, older);
    furnish(older, newer);
    onBoth(host -> {
      host.dockerd().stop();
      host.plugin().stop();
      host.dockerd().launch();
      host.plugin().start();
      Await.until(PATIENCE, () -> "no dockerd", () -> host.tryDocker("version").ok());
      comesBack(host);
    });
    onBoth(host -> reachable(far(host), host));
  }

  /** dockerd looks for a missing plugin for 15 s or so per network, of its own accord. */
  @Test
  void dockerdStartsWithoutThePluginAndIsServedOnceItIsThere() {
    site.create(newer, VLAN001);
    site.create(older, VLAN001);
    newer.run("c1", "vlan001", "--restart", "always");
    Container far = older.run("far", "vlan001");
    newer.dockerd().stop();
    newer.plugin().stop();
    Duration alone = started(newer);
    System.out.println("dockerd with one network of an absent plugin: " + alone.toSeconds() + " s");
    assertThat(newer.docker("network", "ls").out()).contains("vlan001");
    newer.plugin().start();
    newer.docker("start", "c1");
    assertThat(newer.container("c1").reaches(far.address())).isTrue();
  }

  /** Containers with a restart policy on both VLANs, and one on the other host to talk to. */
  private static Container furnish(Host host, Host other) {
    for (Host each : List.of(host, other)) {
      if (!each.docker("network", "ls").out().contains("vlan001")) {
        site.create(each, VLAN001);
        site.create(each, VLAN002);
      }
    }
    host.run("c1", "vlan001", "--restart", "always");
    host.run("c2", "vlan002", "--restart", "always");
    return other.run("far", "vlan001", "--restart", "always");
  }

  /** The one on the other host, which is not restarted. */
  private static Container far(Host host) {
    return (host == newer ? older : newer).container("far");
  }

  private static void reachable(Container far, Host host) {
    long start = System.nanoTime();
    Container c1 = host.container("c1");
    Await.until(PATIENCE, () -> "no way to " + c1.address(), () -> far.reaches(c1.address()));
    System.out.println("reached after " + (System.nanoTime() - start) / 1_000_000 + " ms");
  }

  /** The engines are strangers to each other; what is timed is timed beside the same work. */
  private static void onBoth(Consumer<Host> work) {
    Stream.of(newer, older)
        .map(
            host -> CompletableFuture.runAsync(() -> work.accept(host), Thread::startVirtualThread))
        .toList()
        .forEach(CompletableFuture::join);
  }

  private static Duration started(Host host) {
    long start = System.nanoTime();
    host.dockerd().start();
    return Duration.ofNanos(System.nanoTime() - start);
  }

  private static void comesBack(Host host) {
    Await.until(
        PATIENCE,
        () -> host.name() + " has " + host.docker("ps", "--all").out(),
        () -> {
          String all = host.docker("ps", "--all", "--quiet").out();
          return !all.isBlank() && all.equals(host.docker("ps", "--quiet").out());
        });
  }
}
