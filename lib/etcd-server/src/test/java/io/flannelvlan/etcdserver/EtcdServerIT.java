package io.flannelvlan.etcdserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.etcd.EtcdSettings;
import io.flannelvlan.etcd.KeyValue;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.net.IpAddress;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EtcdServerIT {

  private static final Duration LIMIT = Duration.ofSeconds(20);

  @TempDir private Path state;
  @TempDir private Path elsewhere;

  private final AtomicReference<Optional<IpAddress>> address =
      new AtomicReference<>(Optional.of(IpAddress.parse("127.0.0.1")));
  private final EtcdProgram program =
      new EtcdProgram(TestingEtcd.program(), TestingEtcd.freePort(), TestingEtcd.freePort());

  private EtcdServer start() {
    return EtcdServer.start(state, program, address::get);
  }

  private JoinLine line() {
    Path file = state.resolve("join");
    Waiting.until("the line", LIMIT, () -> Files.exists(file));
    try {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
          .isEqualTo("rw-------");
      return JoinLine.parse(Files.readString(file).strip());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private EtcdSettings settings(Credentials credentials, String name, URI endpoint)
      throws IOException {
    credentials.write(elsewhere.resolve(name));
    return Credentials.settings(elsewhere.resolve(name), endpoint);
  }

  private static boolean answers(Etcd etcd) {
    try {
      return etcd.get("/a").isPresent();
    } catch (EtcdException _) {
      return false;
    }
  }

  private static void await(Etcd etcd) {
    Waiting.until("an answer", LIMIT, etcd::isReachable);
  }

  @Test
  void aHostWithTheLineSharesWhatThisOneKeepsThroughRestarts() {
    try (EtcdServer server = start();
        Etcd here = Etcd.open(server.settings())) {
      await(here);
      here.put("/a", "1");
      try (Etcd there = Etcd.open(line().settings(elsewhere))) {
        await(there);
        assertThat(there.get("/a").map(KeyValue::value)).hasValue("1");
        there.put("/b", "2");
      }
    }
    try (EtcdServer server = start();
        Etcd here = Etcd.open(server.settings());
        Etcd there = Etcd.open(line().settings(elsewhere))) {
      await(here);
      await(there);
      assertThat(here.get("/b").map(KeyValue::value)).hasValue("2");
      assertThat(there.get("/a").map(KeyValue::value)).hasValue("1");
    }
  }

  @Test
  void nobodyIsLetInWithoutItsCertificate() throws IOException {
    try (EtcdServer server = start();
        Etcd here = Etcd.open(server.settings())) {
      await(here);
      URI endpoint = server.settings().endpoints().getFirst();
      Credentials stranger = Authority.in(elsewhere.resolve("other.p12")).client();
      Credentials ours = Credentials.read(state.resolve("etcd/client"));
      Credentials mixed = new Credentials(ours.ca(), stranger.certificate(), stranger.key());
      EtcdSettings trusting = settings(mixed, "mixed", endpoint);
      EtcdSettings bare =
          new EtcdSettings(
              trusting.endpoints(),
              trusting.caCert(),
              Optional.empty(),
              Optional.empty(),
              trusting.serverName(),
              Optional.empty(),
              Optional.empty());
      EtcdSettings plain = EtcdSettings.plain(URI.create("http://127.0.0.1:" + endpoint.getPort()));
      for (EtcdSettings settings : new EtcdSettings[] {trusting, bare, plain}) {
        try (Etcd etcd = Etcd.open(settings)) {
          assertThatThrownBy(() -> etcd.get("/a")).isInstanceOf(EtcdException.class);
          assertThatThrownBy(() -> etcd.put("/a", "x")).isInstanceOf(EtcdException.class);
        }
      }
      // Nor does a host with another cluster's line send anything here.
      try (Etcd etcd = Etcd.open(settings(stranger, "stranger", endpoint))) {
        assertThatThrownBy(() -> etcd.get("/a"))
            .isInstanceOf(EtcdException.class)
            .hasMessageContaining("of another authority than ours")
            .hasMessageContaining("JOIN is the line in STATE_DIR/join of its host");
      }
      assertThat(here.get("/a")).isEmpty();
    }
  }

  @Test
  void aRotatedLineIsTheOnlyOneThatCounts() throws IOException {
    try (EtcdServer server = start();
        Etcd here = Etcd.open(server.settings())) {
      server.whenRenewed(here::renew);
      await(here);
      here.put("/a", "1");
      JoinLine old = line();
      Files.createFile(state.resolve("rotate-join"));
      Waiting.until("rotated", LIMIT, () -> !Files.exists(state.resolve("rotate-join")));
      Waiting.until("this host's own way", LIMIT, () -> answers(here));
      assertThat(line()).doesNotHaveToString(old.toString());
      try (Etcd there = Etcd.open(line().settings(elsewhere.resolve("new")));
          Etcd former = Etcd.open(old.settings(elsewhere.resolve("old")))) {
        await(there);
        assertThat(there.get("/a").map(KeyValue::value)).hasValue("1");
        // Its first look may have been at an etcd that was about to start again.
        Waiting.until(
            "refused", LIMIT, () -> refusal(former).contains("of another authority than ours"));
        assertThat(refusal(former)).contains("JOIN is the line in STATE_DIR/join of its host");
      }
    }
  }

  private static String refusal(Etcd etcd) {
    try {
      return "got " + etcd.get("/a");
    } catch (EtcdException e) {
      return String.valueOf(e.getMessage());
    }
  }

  @Test
  void anEtcdThatEndsIsStartedAgain() {
    try (EtcdServer server = start();
        Etcd here = Etcd.open(server.settings())) {
      await(here);
      here.put("/a", "1");
      long first = pid();
      ProcessHandle.of(first).orElseThrow().destroyForcibly();
      Waiting.until("another process", LIMIT, () -> pid() != 0 && pid() != first && answers(here));
      assertThat(here.get("/a").map(KeyValue::value)).hasValue("1");
    }
  }

  @Test
  void oneThatAKilledDaemonLeftBehindIsEndedFirst() throws Exception {
    try (EtcdServer server = start();
        Etcd here = Etcd.open(server.settings())) {
      await(here);
      here.put("/a", "1");
    }
    EtcdProcess orphan = program.start(state.resolve("etcd"));
    try (EtcdServer server = start();
        Etcd here = Etcd.open(server.settings())) {
      Waiting.until("its end", LIMIT, () -> !orphan.isAlive());
      await(here);
      assertThat(here.get("/a").map(KeyValue::value)).hasValue("1");
    }
  }

  @Test
  void theLineFollowsTheAddress() {
    try (EtcdServer _ = start()) {
      assertThat(line().endpoint().getHost()).isEqualTo("127.0.0.1");
      address.set(Optional.of(IpAddress.parse("127.0.0.9")));
      Waiting.until("the new one", LIMIT, () -> line().endpoint().getHost().equals("127.0.0.9"));
    }
  }

  private long pid() {
    return process(program).map(ProcessHandle::pid).orElse(0L); // none between two of them
  }

  /** The etcd that somebody in this process started with these ports. */
  static Optional<ProcessHandle> process(EtcdProgram program) {
    String port = ":" + program.clientPort();
    return ProcessHandle.current()
        .children()
        .filter(child -> child.info().commandLine().filter(l -> l.contains(port)).isPresent())
        .findFirst();
  }
}
