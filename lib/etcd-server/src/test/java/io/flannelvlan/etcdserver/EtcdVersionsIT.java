package io.flannelvlan.etcdserver;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.KeyValue;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.net.IpAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The plugin and the package carry etcds of different Debians, on the same data: 3.4 and 3.5. */
class EtcdVersionsIT {

  private static final Duration LIMIT = Duration.ofSeconds(20);

  @TempDir private Path state;

  private final int clientPort = TestingEtcd.freePort();
  private final int peerPort = TestingEtcd.freePort();
  private final EtcdProgram older = program(TestingEtcd.program());
  private final EtcdProgram newer = program(TestingEtcd.newerProgram());

  private EtcdProgram program(Path path) {
    return new EtcdProgram(path, clientPort, peerPort);
  }

  private EtcdServer start(EtcdProgram program) {
    return EtcdServer.start(state, program, () -> Optional.of(IpAddress.parse("127.0.0.1")));
  }

  /** Puts a key, and finds all that were put before. */
  private void work(EtcdProgram program, String key, String... before) {
    try (EtcdServer server = start(program);
        Etcd here = Etcd.open(server.settings())) {
      Waiting.until("an answer", LIMIT, here::isReachable);
      for (String each : before) {
        assertThat(here.get(each).map(KeyValue::value)).as(each).hasValue("kept");
      }
      here.put(key, "kept");
    }
  }

  private void requireRefused() {
    try (LogOfTest log = new LogOfTest();
        EtcdServer _ = start(older)) {
      Waiting.until("it is said", LIMIT, () -> !log.errors().isEmpty());
      assertThat(log.errors())
          .singleElement()
          .asString()
          .contains(state.resolve("etcd/data") + " were written by etcd 3.")
          .contains(TestingEtcd.program() + " is 3.4.")
          .contains("install etcd ");
    }
  }

  @BeforeEach
  void theyDiffer() throws IOException {
    assertThat(older.version().isOlderThan(newer.version())).isTrue();
  }

  @Test
  void dataOfAnOlderEtcdAreTakenUpAndAnOlderOneNeverTouchesThemAfterwards() throws IOException {
    work(older, "/a");
    work(newer, "/b", "/a");
    Map<String, Integer> data = data();
    requireRefused();
    requireRefused();
    assertThat(data()).isEqualTo(data);
    work(newer, "/c", "/a", "/b");
  }

  /** So were those that a version without such a note left. */
  @Test
  void dataWithoutANoteAreRefusedByEtcdItselfOnceAndNotTouchedAfterwards() throws IOException {
    work(newer, "/a");
    Files.delete(state.resolve("etcd/version"));
    requireRefused();
    Map<String, Integer> data = data();
    requireRefused();
    assertThat(data()).isEqualTo(data);
    work(newer, "/b", "/a");
  }

  @Test
  void whenTheDataAreMovedAwayTheOlderOneBeginsAnewWithoutARestart() throws IOException {
    work(newer, "/a");
    try (LogOfTest log = new LogOfTest();
        EtcdServer server = start(older);
        Etcd here = Etcd.open(server.settings())) {
      Waiting.until("it is said", LIMIT, () -> !log.errors().isEmpty());
      Files.move(state.resolve("etcd/data"), state.resolve("etcd/data.3.5"));
      Waiting.until("an answer", LIMIT, here::isReachable);
      assertThat(here.get("/a")).isEmpty();
    }
  }

  /** Every file's content. */
  private Map<String, Integer> data() throws IOException {
    Map<String, Integer> contents = new TreeMap<>();
    try (Stream<Path> files = Files.walk(state.resolve("etcd/data"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        contents.put(file.toString(), Arrays.hashCode(Files.readAllBytes(file)));
      }
    }
    return contents;
  }
}
