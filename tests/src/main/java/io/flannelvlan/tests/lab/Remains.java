package io.flannelvlan.tests.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * A lab as it lies on the disk: what it takes to end it without the program that made it. The
 * directory's name is {@code lab-<pid of that program>-<number>}.
 */
record Remains(Path dir) {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** Ends what programs have left that were killed. Labs in use and kept ones stay. */
  static void sweep() {
    all().stream().filter(Remains::isAbandoned).forEach(Remains::end);
  }

  static List<Remains> kept() {
    return all().stream().filter(lab -> Files.exists(lab.dir.resolve("kept"))).toList();
  }

  private static List<Remains> all() {
    if (!Files.isDirectory(Project.cache())) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(Project.cache())) {
      return entries
          .filter(entry -> entry.getFileName().toString().matches("lab-\\d+-\\d+"))
          .map(Remains::new)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Its first process by the machine's number, once that has written it down. */
  OptionalLong firstProcess() {
    Path file = dir.resolve("pid");
    try {
      return Files.exists(file)
          ? OptionalLong.of(Long.parseLong(Files.readString(file).strip()))
          : OptionalLong.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Kills the lab's first process, which ends all others, and removes what it leaves. */
  void end() {
    firstProcess().ifPresent(this::kill);
    Cgroups.remove(dir);
    Command.of("rm", "-rf", "--one-file-system", dir.toString()).run().orThrow();
  }

  private void kill(long pid) {
    if (isOurs(pid)) {
      ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }
    // It is gone only after every process in its PID namespace is.
    Await.until(PATIENCE, () -> dir + " does not end", () -> !isOurs(pid));
  }

  private boolean isAbandoned() {
    OptionalLong first = firstProcess();
    if (first.isPresent()) {
      return !isOurs(first.getAsLong());
    }
    long maker = Long.parseLong(dir.getFileName().toString().split("-", -1)[1]);
    return ProcessHandle.of(maker).isEmpty();
  }

  /** Whether this number still is our lab-init, not another process that got it later. */
  private boolean isOurs(long pid) {
    try {
      byte[] words = Files.readAllBytes(Path.of("/proc", Long.toString(pid), "cmdline"));
      return new String(words, StandardCharsets.UTF_8).contains(dir.toString());
    } catch (IOException gone) {
      return false;
    }
  }
}
