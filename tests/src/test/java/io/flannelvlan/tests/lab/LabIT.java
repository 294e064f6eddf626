package io.flannelvlan.tests.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LogsOnFailure.class)
final class LabIT {
  private static Lab lab;
  private static Host newer;
  private static Host older;

  @BeforeAll
  static void bootOneHostPerEngine() {
    lab = Lab.start();
    List<Host> hosts = lab.hosts(Engine.DOCKER_28, Engine.DOCKER_20_10);
    newer = hosts.get(0);
    older = hosts.get(1);
  }

  @AfterAll
  static void takeDown() {
    lab.close();
  }

  @Test
  void enginesAreWhatTheirNamesSay() {
    assertThat(version(newer)).startsWith("28.");
    assertThat(version(older)).startsWith("20.10.");
  }

  @Test
  void hostsReachEachOtherAndNothingElse() {
    assertThat(newer.pings(older.address())).isTrue();
    assertThat(older.pings(newer.address())).isTrue();
    assertThat(lab.outside().pings(newer.address())).isTrue();
    assertThat(lab.outside().pings("10.1.0.1")).isFalse();
    assertThat(newer.in("ip", "-brief", "link").out()).contains("lo ", "eth0@", "docker0 ");
  }

  @Test
  void publishedPortShowsTheClientAndServesLargeAnswers() {
    for (Host host : List.of(newer, older)) {
      Container web = host.run("published", "bridge", "--publish", "8080:80");
      assertThat(lab.outside().seenAs(host.address() + ":8080")).contains(lab.outside().address());
      assertThat(lab.outside().downloads(host.address() + ":8080")).isTrue();
      assertThat(lab.outside().pings(web.address())).isFalse();
      assertThat(web.exec("hostname").text()).isEqualTo("published");
      web.remove();
    }
  }

  @Test
  void udpServerSaysAsWhomItSeesTheClient() {
    Container server = newer.run("server", "bridge", "--publish", "5353:53/udp");
    Daemon answering = server.answering(Protocol.UDP, 53);
    assertThat(lab.outside().ask(Protocol.UDP, newer.address(), 5353).orElse("nobody"))
        .startsWith(lab.outside().address() + " ");
    answering.stop();
    assertThat(lab.outside().ask(Protocol.UDP, newer.address(), 5353)).isEmpty();
    server.remove();
  }

  @Test
  void etcdThatIsRestoredHoldsWhatItHeldAndNothingLater() {
    lab.etcd().put("/kept", "1");
    lab.etcd().save("here");
    lab.etcd().put("/later", "2");
    lab.etcd().delete("/kept");
    lab.etcd().restore("here");
    assertThat(lab.etcd().keys("/")).contains("/kept").doesNotContain("/later");
    lab.etcd().wipe();
    assertThat(lab.etcd().keys("/")).isEmpty();
  }

  @Test
  void clusterOutlivesItsLeader() {
    EtcdCluster cluster = lab.etcdCluster();
    Etcd leader = cluster.leader();
    leader.put("/kept", "1");
    leader.daemon().kill();
    Etcd other = cluster.members().stream().filter(e -> e.daemon().alive()).findFirst().get();
    Await.until(
        Duration.ofSeconds(20),
        () -> "no new leader",
        () -> other.etcdctl("put", "/more", "2").ok());
    leader.daemon().start();
    assertThat(leader.get("/kept")).contains("1");
    assertThat(leader.get("/more")).contains("2");
    assertThat(cluster.endpoints().split(",", -1)).hasSize(3);
    cluster.members().forEach(member -> member.daemon().stop());
  }

  @Test
  void containerOutlivesKilledDockerdUntilTheNextStart() {
    Container web = older.run("orphan", "bridge");
    older.dockerd().kill();
    assertThat(web.pings(newer.address())).isTrue();
    older.dockerd().start();
    web.start();
    assertThat(web.pings(newer.address())).isTrue();
    web.remove();
  }

  @Test
  void hostKeepsItsDiskOverAPowerCut() {
    newer.run("kept", "bridge");
    newer.powerOff();
    assertThat(older.pings(newer.address())).isFalse();
    newer.powerOn();
    newer.dockerd().start();
    Container web = newer.container("kept");
    web.start();
    assertThat(web.pings(older.address())).isTrue();
    web.remove();
  }

  @Test
  void frozenEtcdAnswersNobodyAndIsBackAfterwards() {
    lab.etcd().put("/frozen", "before");
    lab.etcd().daemon().freeze();
    assertThat(lab.etcd().etcdctl("get", "/frozen").ok()).isFalse();
    lab.etcd().daemon().thaw();
    assertThat(lab.etcd().get("/frozen")).contains("before");
    lab.etcd().daemon().kill();
    lab.etcd().daemon().start();
    assertThat(lab.etcd().get("/frozen")).contains("before");
  }

  @Test
  void nothingIsLeftOfAClosedLab() throws IOException {
    Path dir;
    long init;
    try (Lab other = Lab.start()) {
      other.host(Engine.DOCKER_20_10).run("gone", "bridge");
      dir = other.dir();
      init = other.etcd().daemon().pid();
      other.etcd().daemon().freeze();
      assertThat(Cgroups.of(dir)).isNotEmpty();
    }
    assertThat(dir).doesNotExist();
    assertThat(Cgroups.of(dir)).isEmpty();
    assertThat(ProcessHandle.of(init)).isEmpty();
    assertThat(mentions(Path.of("/proc/self/mountinfo"), dir)).isFalse();
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      assertThat(processes.filter(process -> mentions(process.resolve("cmdline"), dir))).isEmpty();
    }
  }

  private static boolean mentions(Path file, Path dir) {
    try {
      return Files.isRegularFile(file) && Files.readString(file).contains(dir.toString());
    } catch (IOException gone) {
      return false;
    }
  }

  private static String version(Host host) {
    return host.docker("version", "--format", "{{.Server.Version}}").text();
  }
}
