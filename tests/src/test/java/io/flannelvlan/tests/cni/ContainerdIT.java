package io.flannelvlan.tests.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.tests.cni.Node.Replica;
import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Containerd;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Examples;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Task;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Pods of real containerds, asked for as a kubelet asks, on hosts with the package, beside Docker
 * on the same VLANs; by the files of docs/examples.
 */
@ExtendWith(LogsOnFailure.class)
final class ContainerdIT {

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private static final List<Node> nodes = new ArrayList<>();
  private static Lab lab;

  /** Docker's, in vlan001 and in vlan002 of each host. */
  private static List<Container> ones;

  private static List<Container> twos;

  @BeforeAll
  static void boot() {
    lab = Lab.start();
    for (Host host : lab.hosts(Engine.DOCKER_28, Engine.DOCKER_28)) {
      nodes.add(Node.start(host, "cni/net.d/10-vlan002.conflist"));
      for (int vlan = 1; vlan <= 2; vlan++) {
        host.docker(
            ("network create -d flannelvlan --ipam-driver flannelvlan"
                    + " --subnet 10.%1$d.0.0/16 --opt vni=%1$d vlan00%1$d".formatted(vlan))
                .split(" "));
      }
    }
    ones = nodes.stream().map(node -> node.host().run("one", "vlan001")).toList();
    twos = nodes.stream().map(node -> node.host().run("two", "vlan002")).toList();
  }

  @AfterAll
  static void takeDown() {
    nodes.forEach(Node::close);
    lab.close();
  }

  @Test
  void sixReplicasOnTwoHostsReachEachOtherAndTheContainersOfTheirVlanAlone() {
    Manifest deployment = Manifest.of("kubernetes/deployment.yaml");
    List<Replica> replicas = new ArrayList<>();
    for (int number = 1; number <= deployment.replicas(); number++) {
      Node node = nodes.get(number % 2);
      replicas.add(node.run(deployment.name() + "-" + number, deployment));
    }
    assertThat(replicas).hasSize(6);
    for (Replica replica : replicas) {
      Task task = replica.task();
      assertThat(replica.address()).startsWith("10.2.").isEqualTo(task.address());
      for (Replica other : replicas) {
        assertThat(task.reaches(other.address())).as(task + " " + other.task()).isTrue();
      }
      for (Container two : twos) {
        assertThat(task.reaches(two.address())).as(task + " " + two.name()).isTrue();
        assertThat(two.whoAnswers(replica.address())).isPresent();
      }
      for (Container one : ones) {
        assertThat(task.pings(one.address())).as(task + " " + one.name()).isFalse();
        assertThat(one.pings(replica.address())).as(one.name() + " " + task).isFalse();
      }
      // A kubelet's probes come from the host.
      assertThat(replica.node().host().pings(replica.address())).isTrue();
      // The last of the chain had its turn.
      assertThat(task.in("cat", "/proc/sys/net/core/somaxconn").text()).isEqualTo("512");
    }
    List<String> gone = replicas.stream().map(Replica::address).toList();
    replicas.forEach(Replica::remove);
    Await.until(
        PATIENCE,
        () -> "" + Traces.addresses(lab),
        () -> Traces.addresses(lab).stream().noneMatch(gone::contains));
  }

  @Test
  void aPodsAnnotationPicksItsVlanOrSeveral() {
    Node node = nodes.getFirst();
    Traces before = Traces.of(lab, node.host());
    Replica first = run(node, "kubernetes/pod.yaml");
    assertThat(first.address()).startsWith("10.1.");
    assertThat(first.task().reaches(ones.getLast().address())).isTrue();
    assertThat(first.task().pings(twos.getLast().address())).isFalse();
    assertThat(lab.outside().whoAnswers(node.host().address() + ":8080")).contains("web");
    Replica both = run(node, "kubernetes/two-vlans.yaml");
    assertThat(both.address()).startsWith("10.1.");
    assertThat(both.task().reaches(ones.getLast().address())).isTrue();
    assertThat(both.task().reaches(twos.getLast().address())).isTrue();
    assertThat(twos.getLast().reaches(both.task().address("net1"))).isTrue();
    assertThat(twos.getLast().pings(first.address())).isFalse();
    first.remove();
    both.remove();
    before.awaitAgain(lab, node.host());
  }

  @Test
  void aPodWhoseAnnotationCannotBeMeantIsRefusedInASentenceAndNothingIsLeft() {
    Node node = nodes.getFirst();
    Traces before = Traces.of(lab, node.host());
    assertThatThrownBy(() -> node.run("lost", Map.of("flannelvlan.io/networks", "vlan099")))
        .hasMessageContaining("there is no VLAN vlan099 in etcd");
    before.awaitAgain(lab, node.host());
  }

  @Test
  void aPodsBandwidthIsLimitedByTheChain() {
    Node node = nodes.getFirst();
    Replica slow = node.run("slow", Map.of("kubernetes.io/ingress-bandwidth", "8M"));
    assertThat(node.host().withEnginesTools("tc", "qdisc").orThrow().out())
        .containsPattern("tbf .* dev fv[0-9a-f]{12} .*rate 8Mbit");
    assertThat(slow.task().reaches(twos.getLast().address())).isTrue();
    slow.remove();
  }

  @Test
  void podsOutliveTheirRuntimesRestart() {
    Node node = nodes.getLast();
    Replica replica = node.run("steady", Map.of());
    node.containerd().restart();
    assertThat(replica.task().reaches(twos.getFirst().address())).isTrue();
    replica.remove();
    node.run("late", Map.of()).remove();
  }

  /** A kubelet asks again until it is done. */
  @Test
  void aPodIsNotStoppedWhileTheDaemonIsAwayAndGoesWithAllOfItsTracesOnceItIsBack() {
    Node node = nodes.getLast();
    Traces before = Traces.of(lab, node.host());
    Replica replica = node.run("asked-twice", Map.of());
    node.daemon().kill();
    assertThatThrownBy(replica::remove).hasMessageContaining("is its daemon running");
    node.daemon().start();
    replica.remove();
    before.awaitAgain(lab, node.host());
  }

  @Test
  void ctrRunsContainersByTheSameConfiguration() {
    Node node = nodes.getFirst();
    Containerd containerd = node.containerd();
    Traces before = Traces.of(lab, node.host());
    assertThat(containerd.sayByCtr("inpassing", "ip", "address")).contains("inet 10.2.");
    before.awaitAgain(lab, node.host());
    containerd.runByCtr("byhand");
    Task task = containerd.task("byhand");
    String address = task.address();
    assertThat(address).startsWith("10.2.");
    assertThat(task.reaches(twos.getLast().address())).isTrue();
    assertThat(twos.getLast().whoAnswers(address)).isPresent();
    assertThat(task.pings(ones.getLast().address())).isFalse();
    // What runs on its own is deleted without a word to CNI, and found by the daemon. What the
    // other plugins of the chain made stays: nobody tells them.
    containerd.killByCtr("byhand");
    Await.until(
        PATIENCE,
        () -> "" + Traces.of(lab, node.host()),
        () -> Traces.of(lab, node.host()).areOursAsIn(before));
  }

  @Test
  void aConfigurationThatLeavesTheChoiceToPodsRefusesOneThatDoesNotChoose() {
    Node node = nodes.getLast();
    // The first by name is the one that counts.
    node.containerd().configure("05-pods.conflist", Examples.text("cni/pods.d/10-pods.conflist"));
    node.containerd().restart();
    assertThatThrownBy(() -> node.run("undecided", Map.of()))
        .hasMessageContaining("no VLAN is chosen")
        .hasMessageContaining("flannelvlan.io/networks");
    Replica decided = run(node, "kubernetes/pod.yaml");
    assertThat(decided.task().reaches(ones.getFirst().address())).isTrue();
    decided.remove();
    node.host().withEnginesTools("rm", "/etc/cni/net.d/05-pods.conflist").orThrow();
    node.containerd().restart();
  }

  private static Replica run(Node node, String example) {
    Manifest manifest = Manifest.of(example);
    return node.run(manifest.name(), manifest);
  }
}
