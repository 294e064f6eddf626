package io.flannelvlan.tests.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Pod;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What was lost under pods, where Docker can't tell of it: there is none, it is away, or it never
 * knew.
 */
@ExtendWith(LogsOnFailure.class)
final class LostPodsIT {

  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final String ATTACHMENTS = "/run/flannelvlan/cni";
  private static final AtomicInteger PODS = new AtomicInteger();

  private static Lab lab;
  private static Host here;
  private static Container one;
  private static Container two;

  @BeforeAll
  static void boot() {
    lab = Lab.start();
    here = lab.host(Engine.DOCKER_28, "--live-restore");
    Host there = lab.host(Engine.DOCKER_20_10);
    for (Host host : List.of(here, there)) {
      host.setting("RECLAIM_AFTER", "2s").plugin().start();
    }
    create(there, 1);
    create(there, 2);
    one = there.run("one", "vlan001");
    two = there.run("two", "vlan002");
  }

  @AfterAll
  static void takeDown() {
    lab.close();
  }

  @Test
  void aHostWithoutDockerGoesOnAndJoinsMoreVlans() {
    here.dockerd().stop();
    Pod pod = added("vlan001");
    lose(here.stateDir().toString());
    Pod late = pod();
    Await.until(PATIENCE, () -> here.plugin().log(), () -> late.cni("ADD", conf("vlan002")).ok());
    assertThat(pod.reaches(one.address())).isTrue();
    assertThat(late.reaches(two.address())).isTrue();
    assertThat(late.pings(pod.address())).isFalse();
    List<String> gone = List.of(pod.address(), late.address());
    end(pod, late);
    Await.until(
        PATIENCE, () -> "" + addresses(), () -> addresses().stream().noneMatch(gone::contains));
    here.dockerd().start();
  }

  @Test
  void aDockerThatIsOnlyAwayLosesNothing() {
    create(here, 2);
    Container docked = here.run("docked", "vlan002", "--publish", "8080:80");
    String address = docked.address();
    Pod pod = added("vlan001");
    here.dockerd().stop();
    long before = said("nothing is missing");
    lose(here.stateDir().toString());
    Await.until(
        PATIENCE, () -> here.plugin().log(), () -> said("nobody tells who has the other ends") > 0);
    assertThat(two.pings(address)).isTrue();
    assertThat(lab.outside().whoAnswers(here.address() + ":8080")).contains("docked");
    here.dockerd().start();
    Await.until(PATIENCE, () -> here.plugin().log(), () -> said("nothing is missing") > before);
    assertThat(docked.address()).isEqualTo(address);
    assertThat(docked.reaches(two.address())).isTrue();
    assertThat(lab.outside().whoAnswers(here.address() + ":8080")).contains("docked");
    assertThat(pod.reaches(one.address())).isTrue();
    end(pod);
    docked.remove();
    here.docker("network", "rm", "vlan002");
  }

  @Test
  void aPodOfWhichNoRecordIsLeftKeepsItsAddressAsLongAsItLives() {
    create(here, 1);
    Container docked = here.run("docked", "vlan001");
    Pod pod = added("vlan001");
    String address = pod.address();
    lose(here.stateDir().toString(), ATTACHMENTS);
    Await.until(
        PATIENCE,
        () -> here.plugin().log(),
        () -> said("Docker does not know address " + address + "/") > 0);
    assertThat(addresses()).contains(address);
    Pod other = added("vlan001");
    assertThat(other.address()).isNotEqualTo(address);
    assertThat(other.reaches(address)).isTrue();
    // What is known goes, whatever is not.
    end(other);
    assertThat(addresses()).contains(address);
    assertThat(pod.reaches(docked.address())).isTrue();
    pod.vanish();
    Await.until(PATIENCE, () -> "" + addresses(), () -> !addresses().contains(address));
    docked.remove();
    here.docker("network", "rm", "vlan001");
  }

  private static void lose(String... directories) {
    here.plugin().kill();
    for (String directory : directories) {
      here.in("rm", "-r", directory).orThrow();
    }
    here.plugin().start();
  }

  private static long said(String words) {
    return here.plugin().log().lines().filter(line -> line.contains(words)).count();
  }

  private static Pod pod() {
    return here.pod("pod" + PODS.incrementAndGet());
  }

  private static Pod added(String vlan) {
    Pod pod = pod();
    pod.cni("ADD", conf(vlan)).orThrow();
    return pod;
  }

  private static void end(Pod... pods) {
    for (Pod pod : pods) {
      pod.cni("DEL", conf("vlan001")).orThrow();
      pod.vanish();
    }
  }

  private static String conf(String vlan) {
    return """
    {"cniVersion":"1.0.0","name":"net","type":"flannelvlan-cni","network":"%s"}\
    """
        .formatted(vlan);
  }

  /** Those of all hosts, as etcd has them. */
  private static List<String> addresses() {
    return lab.etcd().keys("/flannelvlan/addresses/").stream()
        .map(key -> key.substring(key.lastIndexOf('/') + 1))
        .toList();
  }

  private static void create(Host host, int vlan) {
    host.docker(
        ("network create -d flannelvlan --ipam-driver flannelvlan"
                + " --subnet 10.%1$d.0.0/16 --opt vni=%1$d vlan00%1$d".formatted(vlan))
            .split(" "));
  }
}
