package io.flannelvlan.tests.lab;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** One run of a tool: its words, its input, how long it may take. */
record Command(List<String> words, Path input, Duration limit) {
  private static final Path NOTHING = Path.of("/dev/null");
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  Command {
    words = List.copyOf(words);
  }

  static Command of(String... words) {
    return of(List.of(words));
  }

  static Command of(List<String> words) {
    return new Command(words, NOTHING, PATIENCE);
  }

  Command from(Path file) {
    return new Command(words, file, limit);
  }

  /** These words, followed by files or numbers. */
  Command with(Object... more) {
    Stream<String> all = Stream.concat(words.stream(), Arrays.stream(more).map(Object::toString));
    return new Command(all.toList(), input, limit);
  }

  Command within(Duration time) {
    return new Command(words, input, time);
  }

  Command inside(List<String> prefix) {
    return new Command(Stream.concat(prefix.stream(), words.stream()).toList(), input, limit);
  }

  Result run() {
    try {
      Process process = builder().redirectInput(input.toFile()).start();
      CompletableFuture<String> out = drain(process.getInputStream());
      CompletableFuture<String> err = drain(process.getErrorStream());
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        // The tool itself is a child of nsenter: killing only nsenter would leave it behind.
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        throw new LabException(this + " took longer than " + limit.toSeconds() + " s");
      }
      return new Result(toString(), process.exitValue(), out.join(), err.join());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException(this + ": interrupted", e);
    }
  }

  /**
   * Starts a process that stays, in a session of its own, so that the terminal's interrupt reaches
   * only the program that will take the lab down in order.
   */
  Process spawn(Path log) {
    return spawn(log, ProcessBuilder.Redirect.from(input.toFile()));
  }

  /** The same, with a pipe of ours as its input. */
  Process spawnListening(Path log) {
    return spawn(log, ProcessBuilder.Redirect.PIPE);
  }

  /** Leaves these words as a script for people, which takes further arguments. */
  void writeAsScript(Path file) {
    String line = words.stream().map(word -> "'" + word + "'").collect(Collectors.joining(" "));
    try {
      Files.writeString(file, "#!/bin/sh\nexec " + line + " \"$@\"\n");
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Process spawn(Path log, ProcessBuilder.Redirect stdin) {
    try {
      return inside(List.of("setsid"))
          .builder()
          .redirectInput(stdin)
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
          .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private ProcessBuilder builder() {
    ProcessBuilder builder = new ProcessBuilder(words);
    Map<String, String> environment = builder.environment();
    environment.clear(); // nothing of the caller's, such as ETCDCTL_* or DOCKER_HOST, may leak in
    environment.put("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    environment.put("LANG", "C.UTF-8");
    environment.put("HOME", "/root");
    return builder;
  }

  private static CompletableFuture<String> drain(InputStream stream) {
    CompletableFuture<String> text = new CompletableFuture<>();
    // A read from a pipe keeps a virtual thread's carrier, and there are as few of these as cores.
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try (stream) {
            text.complete(new String(stream.readAllBytes(), StandardCharsets.UTF_8));
          } catch (IOException e) {
            text.completeExceptionally(e);
          }
        });
    return text;
  }

  @Override
  public String toString() {
    return String.join(" ", words);
  }
}
