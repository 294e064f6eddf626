package io.flannelvlan.tests.bench;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Daemon;
import io.flannelvlan.tests.lab.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongPredicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a CNI runtime's calls cost on a host with the package, beside a program that does nothing.
 */
record CniBench(Host host) {
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final String MAIN = "io.flannelvlan.cni.plugin.Main";
  private static final String PLUGIN = "/opt/cni/bin/flannelvlan-cni";
  private static final String CONF =
      "'{\"cniVersion\":\"1.1.0\",\"name\":\"bench\",\"type\":\"flannelvlan-cni\","
          + "\"network\":\"vlan201\"}'";

  List<Line> run() {
    host.installPackage();
    Daemon daemon = host.packaged();
    daemon.start();
    host.docker(Networks.create("bench-201", 201));
    host.withEnginesTools("ip", "netns", "add", "bench").orThrow();
    Rounds.Pair status = Rounds.inTurns(() -> call("STATUS", PLUGIN), () -> call("STATUS", "cat"));
    Rounds.Pair pods =
        Rounds.inTurns(
            () -> {
              call("ADD", PLUGIN);
              call("DEL", PLUGIN);
            },
            () -> {
              call("ADD", "cat");
              call("DEL", "cat");
            });
    double resident = residentKib(daemon) / 1024.0;
    daemon.stop();
    return List.of(
        more("flannelvlan-cni STATUS: the process alone, ms", status, 80),
        more("flannelvlan-cni ADD and DEL, ms", pods, 250),
        new Line("flannelvlan-cni's memory, MB", "RSS", "none", resident, Line.Bound.atMost(60)));
  }

  private static Line more(String what, Rounds.Pair pair, double most) {
    double ours = pair.ours().median();
    double nothing = pair.peers().median();
    return new Line(
        what,
        "%.0f ms".formatted(ours),
        "cat %.0f ms".formatted(nothing),
        ours - nothing,
        Line.Bound.atMost(most));
  }

  private void call(String command, String program) {
    host.withEnginesTools(
            "sh",
            "-c",
            "echo "
                + CONF
                + " | CNI_COMMAND="
                + command
                + " CNI_CONTAINERID=bench CNI_NETNS=/run/netns/bench CNI_IFNAME=eth0"
                + " CNI_PATH=/opt/cni/bin "
                + program)
        .orThrow();
  }

  /** While it waits for a daemon that does not answer, it has loaded nearly all that it needs. */
  private long residentKib(Daemon daemon) {
    daemon.freeze();
    try {
      CompletableFuture<Void> status =
          CompletableFuture.runAsync(
              () -> call("STATUS", PLUGIN), task -> Thread.ofVirtual().start(task));
      Steady steady = new Steady();
      Await.until(PATIENCE, () -> "flannelvlan-cni does not wait", () -> isRunning(steady));
      daemon.thaw();
      status.join();
      return steady.kib;
    } finally {
      daemon.thaw();
    }
  }

  /** A figure that does not grow any more. */
  private static final class Steady implements LongPredicate {
    private long kib;
    private int looks;

    @Override
    public boolean test(long now) {
      looks = now == kib ? looks + 1 : 0;
      kib = now;
      return looks >= 10;
    }
  }

  private static boolean isRunning(LongPredicate isSteady) {
    return ProcessHandle.allProcesses()
        .filter(process -> isOurs(Path.of("/proc", Long.toString(process.pid()))))
        .findFirst()
        .filter(process -> isSteady.test(Daemon.residentKib(process.pid())))
        .isPresent();
  }

  private static boolean isOurs(Path process) {
    try (Stream<String> words = Files.lines(process.resolve("cmdline"))) {
      return words.collect(Collectors.joining()).contains(MAIN);
    } catch (IOException gone) {
      return false;
    }
  }
}
