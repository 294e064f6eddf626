package io.flannelvlan.etcdserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.etcd.KeyValue;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.net.IpAddress;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The state directory is on a file system that is full, or read-only. */
class EtcdServerOnABadDiskIT {

  private static final Duration LIMIT = Duration.ofSeconds(20);

  @TempDir private Path state;
  @TempDir private Path elsewhere;

  private final EtcdProgram program =
      new EtcdProgram(TestingEtcd.program(), TestingEtcd.freePort(), TestingEtcd.freePort());
  private SmallDisk disk;

  @BeforeEach
  void mount() {
    disk = new SmallDisk(state);
  }

  @AfterEach
  void unmount() {
    disk.close();
  }

  private EtcdServer start() {
    return EtcdServer.start(state, program, () -> Optional.of(IpAddress.parse("127.0.0.1")));
  }

  /** One that ran before. */
  private void leaveBehind(String key, String value) {
    try (EtcdServer server = start();
        Etcd here = Etcd.open(server.settings())) {
      await(here);
      here.put(key, value);
      awaitLine();
    }
  }

  private void awaitLine() {
    Waiting.until("the line", LIMIT, () -> Files.exists(state.resolve("join")));
  }

  private String line() throws Exception {
    return Files.readString(state.resolve("join"));
  }

  private static void await(Etcd etcd) {
    Waiting.until("an answer", LIMIT, etcd::isReachable);
  }

  private static boolean takes(Etcd etcd) {
    try {
      etcd.put("/b", "2");
      return true;
    } catch (EtcdException _) {
      return false;
    }
  }

  private static void requireKept(Etcd etcd) {
    Waiting.until("it works", LIMIT, () -> takes(etcd));
    assertThat(etcd.get("/a").map(KeyValue::value)).hasValue("1");
  }

  @Test
  void onAFullDiskItStartsWithWhatIsThereAndWorksOnceThereIsRoom() {
    leaveBehind("/a", "1");
    disk.fill();
    try (EtcdServer server = start();
        Etcd here = Etcd.open(server.settings())) {
      disk.makeRoom();
      requireKept(here);
    }
  }

  @Test
  void onAReadOnlyDiskItStartsAndEtcdComesOnceItCanWrite() throws Exception {
    leaveBehind("/a", "1");
    String line = line();
    assertThat(disk.isMadeReadOnly()).isTrue();
    try (LogOfTest log = new LogOfTest();
        EtcdServer server = start();
        Etcd here = Etcd.open(server.settings())) {
      Waiting.until("the reason", LIMIT, () -> !log.errors().isEmpty());
      assertThat(line()).isEqualTo(line);
      disk.makeWritable();
      requireKept(here);
      assertThat(log.errors())
          .singleElement()
          .asString()
          .contains("etcd of this host", "read-only file system", "what runs goes on");
    }
  }

  @Test
  void anEtcdThatAReadOnlyDiskEndedIsStartedAgain() {
    try (LogOfTest log = new LogOfTest();
        EtcdServer server = start();
        Etcd here = Etcd.open(server.settings())) {
      await(here);
      here.put("/a", "1");
      Waiting.until(
          "nobody writes",
          LIMIT,
          () -> {
            EtcdServerIT.process(program).ifPresent(ProcessHandle::destroyForcibly);
            return disk.isMadeReadOnly();
          });
      Waiting.until(
          "it was tried",
          LIMIT,
          () -> log.errors().stream().anyMatch(line -> line.contains("read-only file system")));
      disk.makeWritable();
      requireKept(here);
    }
  }

  @Test
  void aRotationThatTheDiskRefusesLeavesAllAsItIsAndSucceedsOnceThereIsRoom() throws Exception {
    try (LogOfTest log = new LogOfTest();
        EtcdServer server = start();
        Etcd here = Etcd.open(server.settings())) {
      server.whenRenewed(here::renew);
      await(here);
      here.put("/a", "1");
      awaitLine();
      String old = line();
      byte[] authority = Files.readAllBytes(state.resolve("etcd/authority.p12"));
      disk.fill();
      Files.createFile(state.resolve("rotate-join"));
      Waiting.until(
          "the reason",
          LIMIT,
          () -> log.errors().stream().anyMatch(error -> error.contains("rotate-join")));
      assertThat(log.errors()).anyMatch(error -> error.contains("No space left on device"));
      assertThat(line()).isEqualTo(old);
      assertThat(state.resolve("etcd/authority.p12")).hasBinaryContent(authority);
      disk.makeRoom();
      Waiting.until("rotated", LIMIT, () -> !Files.exists(state.resolve("rotate-join")));
      awaitLine();
      assertThat(line()).isNotEqualTo(old);
      requireKept(here);
    }
  }

  @Test
  void aHostThatJoinedNeedsNoRoomForALineThatItHas() throws Exception {
    Credentials client = Authority.in(elsewhere.resolve("one.p12")).client();
    Credentials other = Authority.in(elsewhere.resolve("two.p12")).client();
    URI endpoint = URI.create("https://192.0.2.7:23790");
    Path joined = state.resolve("joined");
    new JoinLine(endpoint, client).settings(joined);
    disk.fill();
    assertThat(new JoinLine(endpoint, client).settings(joined).endpoints())
        .containsExactly(endpoint);
    assertThatThrownBy(() -> new JoinLine(endpoint, other).settings(joined))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("certificates of JOIN")
        .hasMessageContaining(joined.toString())
        .hasMessageContaining("No space left on device");
    assertThat(Credentials.read(joined)).isEqualTo(client);
    disk.makeRoom();
    assertThat(disk.isMadeReadOnly()).isTrue();
    assertThat(new JoinLine(endpoint, client).settings(joined).endpoints())
        .containsExactly(endpoint);
    assertThatThrownBy(() -> new JoinLine(endpoint, other).settings(joined))
        .hasMessageContaining("Read-only file system");
  }
}
