package io.flannelvlan.firewall;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * A program of the machine, run to its end within a deadline. A child process starts in the network
 * namespace of the thread that starts it.
 *
 * @param debianPackage what to install where it is missing
 */
record Program(String name, String debianPackage) {

  /** Longer than any honest run: others may hold the kernel's or xtables' lock for seconds. */
  private static final Duration DEADLINE = Duration.ofSeconds(20);

  /** Where administration tools are, even if the daemon's PATH does not say so. */
  private static final List<String> DIRECTORIES =
      List.of("/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin", "/bin", "/usr/local/bin");

  /**
   * What a run left.
   *
   * @param text what it printed, errors included
   */
  record Output(int exit, String text) {

    boolean failed() {
      return exit != 0;
    }
  }

  boolean isInstalled() {
    return DIRECTORIES.stream().anyMatch(directory -> Files.isExecutable(Path.of(directory, name)));
  }

  /** Runs it; the exit code is the caller's to judge. */
  Output run(String input, String... arguments) {
    return begin(input, arguments).end();
  }

  /** The same without input, for one that may print more than there is memory. */
  Output runAndKeep(Predicate<String> kept, String... arguments) {
    return begin("", out -> lines(out, kept), arguments).end();
  }

  /**
   * Starts it, here and now; how it ends can be asked later.
   *
   * <p>Platform threads read and write its pipes: a virtual one would keep its carrier all the
   * while, and on a small host two programs that hang would stop every handler.
   */
  Run begin(String input, String... arguments) {
    return begin(input, Program::text, arguments);
  }

  private Run begin(String input, Drain drain, String... arguments) {
    Process process = start(arguments);
    Executor besides = task -> Thread.ofPlatform().name(name).daemon().start(task);
    besides.execute(() -> feed(process, input));
    return new Run(
        name, process, CompletableFuture.supplyAsync(() -> read(process, drain), besides));
  }

  /** What becomes of its output. */
  private interface Drain {
    String read(InputStream out) throws IOException;
  }

  /** A run that may still go on. */
  record Run(String name, Process process, CompletableFuture<String> text) {

    /** Waits for its end; asked again, the same answer. */
    Output end() {
      try {
        if (!process.waitFor(DEADLINE)) {
          throw new FirewallException(
              "run " + name + ": no answer within " + DEADLINE.toSeconds() + " s");
        }
        return new Output(process.exitValue(), text.join());
      } catch (InterruptedException interruption) {
        Thread.currentThread().interrupt();
        throw new FirewallException("run " + name + ": interrupted", interruption);
      } finally {
        process.destroyForcibly();
      }
    }
  }

  private Process start(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(path());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("LC_ALL", "C");
    try {
      return builder.start();
    } catch (IOException failure) {
      throw new FirewallException("run " + name + ": " + failure.getMessage(), failure);
    }
  }

  private String path() {
    return DIRECTORIES.stream()
        .map(directory -> Path.of(directory, name))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(() ->
            new FirewallException(
                "run " + name + ": not found; install the package " + debianPackage))
        .toString();
  }

  private static void feed(Process process, String input) {
    try (OutputStream out = process.getOutputStream()) {
      out.write(input.getBytes(StandardCharsets.UTF_8));
    } catch (IOException _) {
      // It ended without reading everything; its exit code and its words tell why.
    }
  }

  private static String text(InputStream out) throws IOException {
    return new String(out.readAllBytes(), StandardCharsets.UTF_8);
  }

  private static String lines(InputStream out, Predicate<String> kept) {
    return new BufferedReader(new InputStreamReader(out, StandardCharsets.UTF_8))
        .lines()
        .filter(kept)
        .collect(Collectors.joining("\n"));
  }

  private static String read(Process process, Drain drain) {
    try {
      return drain.read(process.getInputStream());
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
