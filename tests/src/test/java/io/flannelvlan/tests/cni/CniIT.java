package io.flannelvlan.tests.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Examples;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Pod;
import io.flannelvlan.tests.lab.Result;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The executable, as runtimes start it, beside Docker on the same VLANs. */
@ExtendWith(LogsOnFailure.class)
final class CniIT {

  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final AtomicInteger PODS = new AtomicInteger();

  private static Lab lab;
  private static Host here;
  private static Host there;
  private static Container one;
  private static Container two;

  @BeforeAll
  static void boot() {
    lab = Lab.start();
    List<Host> hosts = lab.hosts(Engine.DOCKER_28, Engine.DOCKER_20_10);
    here = hosts.getFirst();
    there = hosts.getLast();
    hosts.forEach(host -> host.setting("RECLAIM_AFTER", "2s").plugin().start());
    create(there, 1, "");
    create(there, 2, "");
    create(there, 3, "--internal ");
    one = there.run("one", "vlan001");
    two = there.run("two", "vlan002");
  }

  @AfterAll
  static void takeDown() {
    lab.close();
  }

  @ParameterizedTest
  @CsvSource({"cni/net1.d/10-vlan001.conf, vlan001", "cni/net2.d/10-vlan002.conf, vlan002"})
  void aPodReachesTheContainersOfItsVlanAndNoOtherByItsDirectorysFile(String file, String vlan) {
    String conf = Examples.text(file);
    Container peer = vlan.equals("vlan001") ? one : two;
    Container stranger = vlan.equals("vlan001") ? two : one;
    Pod pod = pod();
    pod.cni("ADD", conf).orThrow();
    assertThat(pod.reaches(peer.address())).isTrue();
    assertThat(peer.reaches(pod.address())).isTrue();
    assertThat(pod.pings(stranger.address())).isFalse();
    assertThat(stranger.pings(pod.address())).isFalse();
    // The outside is reached under the host's address.
    assertThat(pod.seenAs(lab.outside().address())).contains(here.address());
    assertThat(addresses()).contains(pod.address());

    String address = pod.address();
    assertThat(pod.cni("DEL", conf).orThrow().out()).isEmpty();
    assertThat(pod.in("ip", "link", "show", "eth0").ok()).isFalse();
    pod.cni("DEL", conf).orThrow();
    Await.until(PATIENCE, () -> "" + addresses(), () -> !addresses().contains(address));
    pod.vanish();
  }

  @Test
  void podsOfOneHostReachEachOtherAndAPodOfAnInternalVlanReachesNothingElse() {
    Pod a = added("vlan001");
    Pod b = added("vlan001");
    Pod inside = added("vlan003");
    Pod beside = added("vlan003");
    assertThat(a.reaches(b.address())).isTrue();
    assertThat(inside.reaches(beside.address())).isTrue();
    assertThat(inside.pings(a.address())).isFalse();
    assertThat(inside.pings(lab.outside().address())).isFalse();
    end(a, b, inside, beside);
  }

  @Test
  void anAnnotationPutsAPodIntoTwoVlansByTheNamesThatItSays() {
    Pod pod = pod();
    String conf =
        conf(
            "1.0.0",
            "vlan003\",\"runtimeConfig\":{\"io.kubernetes.cri.pod-annotations\":"
                + "{\"flannelvlan.io/networks\":\"vlan001@eth0,vlan002@net7\"}},\"x\":\"");
    pod.cni("ADD", conf).orThrow();
    assertThat(pod.reaches(one.address())).isTrue();
    assertThat(pod.reaches(two.address())).isTrue();
    assertThat(two.reaches(pod.address("net7"))).isTrue();
    // Neither VLAN leads into the other through it.
    assertThat(one.pings(two.address())).isFalse();
    pod.cni("DEL", conf).orThrow();
    assertThat(pod.in("ip", "-o", "link").out()).doesNotContain("eth0", "net7");
    pod.vanish();
  }

  @Test
  void gcTakesAwayWhatTheRuntimeNoLongerNames() {
    Pod kept = added("vlan002");
    Pod gone = added("vlan002");
    String address = gone.address();
    gone.vanish();
    kept.cni(
            "GC",
            conf("1.1.0", "vlan002")
                .replaceFirst(
                    "}$",
                    ",\"cni.dev/valid-attachments\":[{\"containerID\":\""
                        + kept.name()
                        + "\",\"ifname\":\"eth0\"}]}"))
        .orThrow();
    Await.until(PATIENCE, () -> "" + addresses(), () -> !addresses().contains(address));
    assertThat(kept.reaches(two.address())).isTrue();
    end(kept);
  }

  @Test
  void addingTwiceIsRefusedAndWhatACrashLeftIsNoAttachment() {
    Pod pod = added("vlan002");
    String address = pod.address();
    assertError(pod.cni("ADD", conf("1.0.0", "vlan002")), 100, "DEL goes first");
    assertThat(pod.address()).isEqualTo(address);
    assertThat(pod.reaches(two.address())).isTrue();
    // The container is made anew under the same id, as after a crash of the runtime.
    pod.vanish();
    Pod again = here.pod(pod.name());
    again.cni("ADD", conf("1.0.0", "vlan002")).orThrow();
    assertThat(again.reaches(two.address())).isTrue();
    end(again);
  }

  @Test
  void theDaemonMayDieAndReturnWhilePodsRunAndTheyAreDeletedByTheNextOne() {
    Pod pod = added("vlan001");
    here.plugin().kill();
    assertThat(pod.pings(one.address())).isTrue();
    assertError(pod.cni("DEL", conf("1.0.0", "vlan001")), 11, "is its daemon running");
    here.plugin().start();
    assertThat(pod.pings(one.address())).isTrue();
    Pod another = added("vlan001");
    assertThat(another.address()).isNotEqualTo(pod.address());
    String gone = pod.address();
    end(pod, another);
    Await.until(PATIENCE, () -> "" + addresses(), () -> !addresses().contains(gone));
  }

  @Test
  void whatAContainerThatVanishedLeftIsFoundByTheDaemon() {
    Pod pod = added("vlan002");
    Pod alive = added("vlan002");
    String address = pod.address();
    pod.vanish();
    Await.until(PATIENCE, () -> "" + addresses(), () -> !addresses().contains(address));
    assertThat(alive.reaches(two.address())).isTrue();
    assertThat(addresses()).contains(alive.address());
    end(alive);
    // With the last pod this host leaves the VLANs that only pods had.
    Await.until(
        PATIENCE,
        () -> here.flannelvlan("vlans").toString(),
        () -> !here.flannelvlan("vlans").out().contains("CNI"));
  }

  @Test
  void podsRunOnThroughTheLossOfTheStateDirectory() {
    create(here, 2, "");
    Container docked = here.run("docked", "vlan002");
    Pod pod = added("vlan001");
    Pod inside = added("vlan003");
    Pod mate = added("vlan003");
    List<String> before = addresses();
    here.plugin().kill();
    here.in("rm", "-r", here.stateDir().toString()).orThrow();
    long hadBack = hadBack();
    here.plugin().start();
    Await.until(PATIENCE, () -> here.plugin().log(), () -> hadBack() > hadBack);
    assertThat(addresses()).isEqualTo(before);
    assertThat(pod.reaches(one.address())).isTrue();
    assertThat(inside.reaches(mate.address())).isTrue();
    assertThat(inside.pings(pod.address())).isFalse();
    assertThat(docked.reaches(two.address())).isTrue();
    Pod late = added("vlan001");
    assertThat(late.reaches(pod.address())).isTrue();
    String gone = pod.address();
    end(pod, inside, mate, late);
    Await.until(PATIENCE, () -> "" + addresses(), () -> !addresses().contains(gone));
    docked.remove();
    here.docker("network", "rm", "vlan002");
  }

  @Test
  void whatNobodyKnowsHowItWasAttachedIsKeptWhileASandboxHasItAndNotLonger() {
    Pod pod = added("vlan001");
    Pod deleted = added("vlan001");
    String address = pod.address();
    here.plugin().kill();
    here.in("rm", "-r", "/run/flannelvlan/cni").orThrow();
    here.plugin().start();
    Pod other = added("vlan001");
    assertThat(other.reaches(pod.address())).isTrue();
    deleted.cni("DEL", conf("1.0.0", "vlan001")).orThrow();
    assertThat(deleted.in("ip", "-o", "link").out()).doesNotContain("eth0");
    deleted.vanish();
    assertThat(pod.pings(one.address())).isTrue();
    pod.vanish();
    Await.until(PATIENCE, () -> "" + addresses(), () -> !addresses().contains(address));
    end(other);
  }

  private static long hadBack() {
    return here.plugin().log().lines().filter(line -> line.contains("nothing is missing")).count();
  }

  private static Pod pod() {
    return here.pod("pod" + PODS.incrementAndGet());
  }

  private static Pod added(String vlan) {
    Pod pod = pod();
    pod.cni("ADD", conf("1.0.0", vlan)).orThrow();
    return pod;
  }

  /** The file need not say the VLAN any more. */
  private static void end(Pod... pods) {
    for (Pod pod : pods) {
      pod.cni("DEL", conf("1.0.0", "vlan009")).orThrow();
      pod.vanish();
    }
  }

  private static String conf(String version, String vlan) {
    return """
    {"cniVersion":"%s","name":"net","type":"flannelvlan-cni","network":"%s"}\
    """
        .formatted(version, vlan);
  }

  private static void assertError(Result result, int code, String word) {
    assertThat(result.exit()).as(result.toString()).isEqualTo(1);
    assertThat(result.out()).contains("\"code\":" + code + ",").contains(word);
  }

  /** Those of all hosts, as etcd has them. */
  private static List<String> addresses() {
    return lab.etcd().keys("/flannelvlan/addresses/").stream()
        .map(key -> key.substring(key.lastIndexOf('/') + 1))
        .sorted()
        .toList();
  }

  private static void create(Host host, int vlan, String options) {
    host.docker(
        ("network create -d flannelvlan --ipam-driver flannelvlan "
                + options
                + "--subnet 10.%1$d.0.0/16 --opt vni=%1$d vlan00%1$d".formatted(vlan))
            .split(" "));
  }
}
