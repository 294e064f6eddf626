package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Firewalld;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Leeway;
import io.flannelvlan.tests.lab.LogsOnFailure;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A host whose firewall is firewalld, by the commands of the README. */
@ExtendWith(LogsOnFailure.class)
final class FirewalldIT {
  private static final String VLAN001 = OURS + "--subnet 10.1.0.0/16 --opt vni=1 vlan001";
  private static final String VLAN002 = OURS + "--subnet 10.2.0.0/16 --opt vni=2 vlan002";
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration REPAIR = Leeway.over(Duration.ofSeconds(1));

  private static Site site;
  private static Host guarded;
  private static Host other;
  private static Firewalld firewalld;

  @BeforeAll
  static void boot() {
    site = new Site(Engine.DOCKER_28, Engine.DOCKER_20_10);
    guarded = site.host(1);
    other = site.host(2);
    firewalld = new Firewalld(guarded);
    for (Host host : List.of(guarded, other)) {
      site.create(host, VLAN001);
      site.create(host, VLAN002);
      host.run("c1", "vlan001", "--restart", "always", "--publish", "8080:80");
      host.run("c2", "vlan002", "--restart", "always");
    }
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @Test
  void vlansAndPortsAreServedWhateverFirewalldDoes() {
    requireServed();
    firewalld.start();
    // It rejects what it was not told of.
    assertThat(other.container("c1").pings(guarded.container("c1").address())).isFalse();
    firewalld.openAsReadmeHasIt();
    requireServed();

    // A dockerd that finds firewalld when it starts has its rules made by it.
    guarded.dockerd().restart();
    requireServed();

    for (String reload : List.of("--reload", "--complete-reload")) {
      List<String> before = ours();
      firewalld.ask(reload);
      requireStillOurs(before, reload);
      requireServed();
    }
    List<String> before = ours();
    firewalld.stop();
    requireStillOurs(before, "stop");
    requireServed();
    firewalld.start();
    requireStillOurs(before, "start");
    requireServed();
  }

  private static void requireServed() {
    Container here = guarded.container("c1");
    Container there = other.container("c1");
    Await.until(
        PATIENCE,
        () -> "not all run: " + guarded.docker("ps", "--all").out(),
        () -> guarded.docker("ps", "--quiet").out().lines().count() == 2);
    assertThat(here.reaches(there.address())).isTrue();
    assertThat(there.reaches(here.address())).isTrue();
    assertThat(here.pings(other.container("c2").address())).isFalse();
    assertThat(guarded.container("c2").pings(here.address())).isFalse();
    assertThat(site.lab().outside().whoAnswers(guarded.address() + ":8080")).contains("c1");
    assertThat(here.seenAs(site.lab().outside().address())).contains(guarded.address());
  }

  private static void requireStillOurs(List<String> before, String what) {
    Await.until(
        REPAIR,
        () -> "after " + what + ": " + ours() + ", not " + before,
        () -> ours().equals(before));
  }

  /** Our nft table and our hook in FORWARD. */
  private static List<String> ours() {
    return Stream.concat(
            site.kernelRemains(guarded).stream().filter(line -> line.contains("FLANNELVLAN")),
            guarded
                .withEnginesTools("nft", "--stateless", "list", "table", "inet", "flannelvlan")
                .out()
                .lines())
        .toList();
  }
}
