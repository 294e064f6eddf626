package io.flannelvlan.etcd;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The real etcd on loopback, to be stopped, started, frozen and killed by a test.
 *
 * <p>The program is found by the system property or environment variable FLANNELVLAN_ETCD, else in
 * the usual directories.
 */
public final class TestingEtcd implements AutoCloseable {

  private static final String PROGRAM = "FLANNELVLAN_ETCD";
  private static final String NEWER_PROGRAM = "FLANNELVLAN_ETCD_NEWER";
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final Path directory;
  private final int clientPort;
  private final int peerPort;
  private final int metricsPort;
  private final boolean tls;
  private List<String> options;
  private @Nullable Process process;

  private TestingEtcd(String... options) {
    this.tls = options.length > 0;
    this.options = List.of(options);
    try {
      directory = Files.createTempDirectory("testing-etcd-");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    clientPort = freePort();
    peerPort = freePort();
    metricsPort = freePort();
  }

  /** A running etcd without any key. */
  public static TestingEtcd started() {
    TestingEtcd etcd = new TestingEtcd();
    etcd.start();
    return etcd;
  }

  /** A running etcd that speaks TLS, as these options say. */
  static TestingEtcd tls(String... options) {
    TestingEtcd etcd = new TestingEtcd(options);
    etcd.start();
    return etcd;
  }

  /** Restarts it with other options, on the data it has. */
  void restart(String... other) {
    stop();
    options = List.of(other);
    start();
  }

  /** An etcd that has its address and was never started. */
  public static TestingEtcd neverStarted() {
    return new TestingEtcd();
  }

  public URI endpoint() {
    return URI.create((tls ? "https" : "http") + "://127.0.0.1:" + clientPort);
  }

  public EtcdSettings settings() {
    return EtcdSettings.plain(endpoint());
  }

  /** For a user of an etcd whose users were made with {@link #ctl}. */
  public EtcdSettings settings(String user, String password) {
    try {
      Path file = Files.writeString(directory.resolve("password-" + user), password + "\n");
      return new EtcdSettings(
          List.of(endpoint()),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.of(user),
          Optional.of(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A client, which the caller closes. */
  public Etcd client() {
    return Etcd.open(settings());
  }

  /** Starts it on the data it has, and waits until it answers. */
  public void start() {
    begin();
    awaitReady();
  }

  /** Starts it without waiting for it. */
  public void begin() {
    ProcessBuilder builder =
        new ProcessBuilder(
            program().toString(),
            "--name=test",
            "--data-dir=" + directory.resolve("data"),
            "--listen-client-urls=" + endpoint(),
            "--advertise-client-urls=" + endpoint(),
            "--listen-peer-urls=http://127.0.0.1:" + peerPort,
            "--initial-advertise-peer-urls=http://127.0.0.1:" + peerPort,
            "--initial-cluster=test=http://127.0.0.1:" + peerPort,
            "--listen-metrics-urls=" + metrics(),
            "--unsafe-no-fsync");
    builder.command().addAll(options);
    builder.redirectErrorStream(true);
    builder.redirectOutput(
        ProcessBuilder.Redirect.appendTo(directory.resolve("etcd.log").toFile()));
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** SIGTERM; the data stay. */
  public void stop() {
    Process running = running();
    running.destroy();
    await(running);
  }

  /** SIGKILL; the data stay. */
  public void kill() {
    Process running = running();
    running.destroyForcibly();
    await(running);
  }

  /** SIGSTOP: connections stay open and nothing is answered. */
  public void freeze() {
    signal("STOP");
  }

  /** SIGCONT. */
  public void thaw() {
    signal("CONT");
  }

  /** Forgets all data of a stopped etcd. */
  public void wipe() {
    delete(directory.resolve("data"));
  }

  /** Replaces all data of a stopped etcd by those of a file that "snapshot save" wrote. */
  public void restore(Path snapshot) {
    wipe();
    ctl(
        "snapshot",
        "restore",
        snapshot.toString(),
        "--data-dir=" + directory.resolve("data"),
        "--name=test",
        "--initial-cluster=test=http://127.0.0.1:" + peerPort,
        "--initial-advertise-peer-urls=http://127.0.0.1:" + peerPort);
  }

  /** Drops all history before {@code revision}. */
  public void compact(long revision) {
    ctl("compaction", Long.toString(revision));
  }

  /** Runs etcdctl against it and returns what it printed; values are not trimmed. */
  public String ctl(String... arguments) {
    Stream<String> command =
        Stream.of(program().resolveSibling("etcdctl").toString(), "--endpoints=" + endpoint());
    ProcessBuilder builder =
        new ProcessBuilder(Stream.concat(command, Stream.of(arguments)).toList());
    builder.environment().put("ETCDCTL_API", "3");
    builder.redirectErrorStream(true);
    try {
      Process ctl = builder.start();
      String printed = new String(ctl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (ctl.waitFor() != 0) {
        throw new IllegalStateException("etcdctl " + List.of(arguments) + ": " + printed);
      }
      return printed;
    } catch (IOException e) {
      throw new UncheckedIOException("etcdctl is missing: apt-get install etcd-client", e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    if (process != null && process.isAlive()) {
      process.destroyForcibly();
      await(process);
    }
    delete(directory);
  }

  private void awaitReady() {
    Waiting.until(
        "etcd answers",
        PATIENCE,
        () -> {
          if (!running().isAlive()) {
            throw new IllegalStateException("etcd ended at once: " + log());
          }
          return isHealthy();
        });
  }

  /** Where it tells how it is, to anybody and without TLS. */
  private URI metrics() {
    return URI.create("http://127.0.0.1:" + metricsPort);
  }

  private boolean isHealthy() {
    try {
      HttpURLConnection http =
          (HttpURLConnection) metrics().resolve("/health").toURL().openConnection();
      http.setConnectTimeout(500);
      http.setReadTimeout(1000);
      return http.getResponseCode() == 200;
    } catch (IOException _) {
      return false;
    }
  }

  private String log() {
    try {
      return Files.readString(directory.resolve("etcd.log"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  private Process running() {
    if (process == null) {
      throw new IllegalStateException("etcd was never started");
    }
    return process;
  }

  private void signal(String name) {
    try {
      // The shell's own kill: a minimal Debian has no program of that name.
      String command = "kill -" + name + " " + running().pid();
      int code = new ProcessBuilder("sh", "-c", command).start().waitFor();
      if (code != 0) {
        throw new IllegalStateException("kill -" + name + " of etcd failed");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void await(Process ending) {
    try {
      if (!ending.waitFor(10, TimeUnit.SECONDS)) {
        ending.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The etcd of this machine. */
  public static Path program() {
    String named =
        Optional.ofNullable(System.getProperty(PROGRAM))
            .or(() -> Optional.ofNullable(System.getenv(PROGRAM)))
            .orElse("");
    return Stream.of(named, "/usr/bin/etcd", "/usr/local/bin/etcd")
        .filter(path -> !path.isEmpty())
        .map(Path::of)
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(() ->
            new IllegalStateException(
                "This test needs the real etcd: apt-get install etcd-server etcd-client, or"
                    + " name the program in FLANNELVLAN_ETCD."));
  }

  /** One of a later release, for data that both meet. */
  public static Path newerProgram() {
    return Optional.ofNullable(System.getenv(NEWER_PROGRAM))
        .map(Path::of)
        .filter(Files::isExecutable)
        .orElseThrow(() ->
            new IllegalStateException(
                "This test needs an etcd 3.5 or later beside an older one: name it in "
                    + NEWER_PROGRAM
                    + ", as ./dev test does."));
  }

  /** A port below the ones that outgoing connections take, so that it is still free later. */
  public static int freePort() {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(10_000, 32_000);
      try (ServerSocket _ = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return port;
      } catch (IOException _) {
        // taken, try the next
      }
    }
  }

  private static void delete(Path tree) {
    if (!Files.exists(tree)) {
      return;
    }
    try (Stream<Path> paths = Files.walk(tree)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
