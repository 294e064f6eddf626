package io.flannelvlan.tests.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Daemon;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The .deb of ./dev dist, on Debian systems without Java. */
@ExtendWith(LogsOnFailure.class)
final class PackageIT {

  private static Lab lab;
  private static List<Host> hosts;

  @BeforeAll
  static void boot() {
    lab = Lab.start();
    hosts = lab.hosts(Engine.values());
  }

  @AfterAll
  static void takeDown() {
    lab.close();
  }

  @Test
  void installedItServesWithTheRuntimeThatItBrings() {
    List<Container> boxes = new ArrayList<>();
    List<Daemon> daemons = new ArrayList<>();
    List<Host> able = new ArrayList<>();
    for (Host host : hosts) {
      Result installed = host.tryInstallPackage();
      assertThat(host.withEnginesTools("sh", "-c", "command -v java").ok()).isFalse();
      host.setting("NETWORKS", "all");
      Daemon daemon = installed.ok() ? host.packaged() : host.plugin();
      if (installed.ok()) {
        able.add(host);
      } else {
        // Made with a distribution's own JDK, it needs a C library that is no older.
        assertThat(installed.err()).contains("flannelvlan depends on libc6 (>= ");
        host.withEnginesTools("dpkg", "--purge", "flannelvlan").orThrow();
      }
      daemon.start();
      daemons.add(daemon);
    }
    assertThat(able).anyMatch(host -> host.engine() == Engine.DOCKER_28);
    Host first = able.getFirst();
    first.docker(
        ("network create -d flannelvlan --ipam-driver flannelvlan --subnet 10.2.0.0/16"
                + " --opt vni=2 vlan002")
            .split(" "));
    for (Host host : hosts) {
      Await.until(
          Duration.ofSeconds(10),
          () -> "vlan002 is not on " + host.name(),
          () -> host.tryDocker("network", "inspect", "vlan002").ok());
      boxes.add(host.run("box", "vlan002"));
    }
    assertThat(boxes.getFirst().reaches(boxes.getLast().address())).isTrue();
    assertThat(first.withEnginesTools("flannelvlan", "vlans").orThrow().out()).contains("vlan002");
    // The cache of the JVM's work holds for the place where the package puts it.
    assertThat(first.log("packaged")).content().doesNotContain("[warning]");
    daemons.forEach(Daemon::stop);
    // Upgraded and removed, the package leaves the traffic and the state alone.
    for (Host host : able) {
      host.installPackage();
      host.withEnginesTools("dpkg", "--remove", "flannelvlan").orThrow();
      assertThat(host.stateDir().resolve("journal")).exists();
    }
    assertThat(boxes.getLast().reaches(boxes.getFirst().address())).isTrue();
  }

  /** Where systemd itself is at hand to look at it. */
  @Test
  void systemdFindsNothingWrongWithTheUnit() {
    Host host =
        hosts.stream().filter(h -> h.engine() == Engine.DOCKER_28).findFirst().orElseThrow();
    host.installPackage();
    assertThat(
            host.withEnginesTools(
                    "systemd-analyze", "verify", "/usr/lib/systemd/system/flannelvlan.service")
                .orThrow()
                .out())
        .isEmpty();
  }
}
