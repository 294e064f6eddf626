package io.flannelvlan.tests.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A long-running process of the lab that a test may stop, kill, freeze and start again. */
public final class Daemon {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int LAST_LINES = 80;

  private final String name;
  private final Path log;
  private final Supplier<Command> command;
  private final BooleanSupplier ready;
  private Optional<Process> process = Optional.empty();

  /**
   * @param command is asked at each start, so that it may name processes of that moment
   * @param ready whether the daemon can be used now
   */
  Daemon(String name, Path log, Supplier<Command> command, BooleanSupplier ready) {
    this.name = name;
    this.log = log;
    this.command = command;
    this.ready = ready;
  }

  /** Starts it and waits until it can be used. */
  public void start() {
    launch();
    Await.until(
        PATIENCE, () -> name + " is not ready" + tail(), () -> ready.getAsBoolean() || died());
    if (died()) {
      throw new LabException(name + " ended at once" + tail());
    }
  }

  /** Starts it without waiting, for tests of what happens meanwhile. */
  public void launch() {
    if (alive()) {
      throw new LabException(name + " runs already");
    }
    process = Optional.of(command.get().spawn(log));
  }

  /** Asks it to end, as an init system does, and waits. Returns its exit status. */
  public int stop() {
    return end("TERM");
  }

  /** kill -9. */
  public void kill() {
    end("KILL");
  }

  public void restart() {
    stop();
    start();
  }

  /** Stops its clock: it is alive, its sockets are open, and it does nothing. */
  public void freeze() {
    signal("STOP");
  }

  public void thaw() {
    signal("CONT");
    wakeParent();
  }

  public boolean alive() {
    return process.map(Process::isAlive).orElse(false);
  }

  /** Its process number as the machine counts. */
  public long pid() {
    // nsenter stays as the parent of what it starts in another PID namespace.
    return process
        .flatMap(parent -> parent.children().findFirst())
        .orElseThrow(() -> new LabException(name + " is not running"))
        .pid();
  }

  /** Resident memory in KiB. */
  public long residentKib() {
    return residentKib(pid());
  }

  /** That of any process. */
  public static long residentKib(long pid) {
    try (Stream<String> lines = Files.lines(Path.of("/proc", Long.toString(pid), "status"))) {
      return lines
          .filter(line -> line.startsWith("VmRSS:"))
          .map(line -> line.replaceAll("\\D", ""))
          .mapToLong(Long::parseLong)
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Everything that it has written so far, over all its lives. */
  public String log() {
    try {
      return Files.exists(log) ? Files.readString(log, StandardCharsets.UTF_8) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String tail() {
    // Docker 20.10 says this for each container that ends, and it tells nothing.
    List<String> lines =
        log()
            .lines()
            .filter(line ->
                !line.contains("after shim disconnected") && !line.contains("cleanup warnings"))
            .toList();
    return lines.stream()
        .skip(Math.max(0, lines.size() - LAST_LINES))
        .collect(Collectors.joining("\n    ", "\nthe end of " + log + ":\n    ", "\n"));
  }

  private boolean died() {
    return !alive();
  }

  private int end(String signal) {
    Process parent = process.orElseThrow(() -> new LabException(name + " was never started"));
    if (parent.isAlive()) {
      signal(signal);
      wakeParent();
    }
    try {
      if (!parent.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new LabException(name + " does not end on " + signal + tail());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException(name + ": interrupted", e);
    }
    process = Optional.empty();
    return parent.exitValue();
  }

  /** nsenter stops itself when its child is stopped, and would not notice that child's end. */
  private void wakeParent() {
    process.ifPresent(parent -> send("CONT", parent.pid()));
  }

  private void signal(String signal) {
    send(signal, pid()).orThrow();
  }

  private static Result send(String signal, long pid) {
    // The shell's own: a minimal system has no program of that name.
    return Command.of("bash", "-c", "kill -" + signal + " " + pid).run();
  }
}
