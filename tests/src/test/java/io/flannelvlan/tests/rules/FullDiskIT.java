package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Result;
import io.flannelvlan.tests.lab.StateDisk;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The state directory takes nothing more: on a disk of 64 KiB that is full, or read-only. */
@ExtendWith(LogsOnFailure.class)
final class FullDiskIT {
  private static final String VLAN001 = OURS + "--subnet 10.1.0.0/16 --opt vni=1 vlan001";
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** The journal's last block has room for a few commits. */
  private static final int MOST_CONTAINERS = 30;

  private static Site site;
  private static Host host;
  private static StateDisk disk;
  private static String state;

  @BeforeAll
  static void boot() {
    site = new Site();
    site.lab().stateDisks("64k");
    host = site.join(Engine.DOCKER_28);
    disk = host.stateDisk();
    state = host.stateDir().toString();
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @AfterEach
  void clear() {
    disk.makeWritable();
    disk.empty();
    site.requireInvariantsAndClear();
  }

  @Test
  void fullDiskRefusesTheNewKeepsTheOldAndEndsWithoutARestart() {
    site.create(host, VLAN001);
    Container a = host.run("ca", "vlan001", "--publish", "8080:80");
    Container b = host.run("cb", "vlan001");
    disk.fill();
    String refusal = runUntilRefused();
    assertThat(refusal)
        .contains("cannot write journal " + state, "No space left", "make " + state + " writable");
    assertThat(host.plugin().alive()).isTrue();
    assertThat(a.pings(b.address())).isTrue();
    assertThat(site.lab().outside().whoAnswers(host.address() + ":8080")).contains("ca");

    // What goes is let go: neither its port nor its address is kept.
    String gone = a.address();
    a.remove();
    assertThat(site.lab().outside().whoAnswers(host.address() + ":8080")).isEmpty();
    Await.until(
        PATIENCE, () -> "etcd still has " + gone, () -> !site.addresses(host).contains(gone));

    disk.empty();
    Container c = host.run("cc", "vlan001", "--publish", "8080:80");
    assertThat(c.reaches(b.address())).isTrue();
    // And what it did meanwhile is on the disk now.
    host.plugin().kill();
    host.plugin().start();
    assertThat(site.addresses(host)).doesNotContain(gone);
    assertThat(site.lab().outside().whoAnswers(host.address() + ":8080")).contains("cc");
  }

  @Test
  void pluginStartsOnAFullDiskAndServesWhatItHas() {
    site.create(host, VLAN001);
    Container a = host.run("ca", "vlan001");
    Container b = host.run("cb", "vlan001");
    disk.fill();
    host.plugin().kill();
    host.plugin().start();
    assertThat(runUntilRefused()).contains("No space left");
    assertThat(a.pings(b.address())).isTrue();
    b.remove();
    disk.empty();
    assertThat(host.run("cd", "vlan001").reaches(a.address())).isTrue();
  }

  @Test
  void pluginStartsOnAReadOnlyDirectoryAndServesWhatItHas() {
    site.create(host, VLAN001);
    Container a = host.run("ca", "vlan001", "--publish", "8080:80");
    Container b = host.run("cb", "vlan001");
    host.plugin().stop();
    disk.makeReadOnly();
    // What is not in the kernel was not left there: it comes from the journal.
    host.in("ip", "link", "delete", "flannel.1").orThrow();
    host.plugin().start();
    Await.until(
        PATIENCE,
        () -> "not said",
        () -> host.plugin().log().contains("Read-only file system. What runs goes on"));
    Await.until(PATIENCE, () -> "no tunnel", () -> host.in("ip", "link", "show", "flannel.1").ok());
    assertThat(a.pings(b.address())).isTrue();
    assertThat(site.lab().outside().whoAnswers(host.address() + ":8080")).contains("ca");
    assertThat(runUntilRefused())
        .contains("cannot write journal " + state, "Read-only file system", "try again");
    String gone = b.address();
    b.remove();
    Await.until(
        PATIENCE, () -> "etcd still has " + gone, () -> !site.addresses(host).contains(gone));

    disk.makeWritable();
    assertThat(host.run("cc", "vlan001").reaches(a.address())).isTrue();
    host.plugin().kill();
    host.plugin().start();
    assertThat(host.run("cd", "vlan001").reaches(a.address())).isTrue();
  }

  private static String runUntilRefused() {
    for (int i = 0; i < MOST_CONTAINERS; i++) {
      String name = "more" + i;
      Result run = host.tryDocker("run", "-d", "--name", name, "--network", "vlan001", "bb");
      if (!run.ok()) {
        return run.err();
      }
    }
    throw new AssertionError("the disk is not full");
  }
}
