package io.flannelvlan.driver.kernel;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A fresh network namespace with an underlay and no way out of it. Needs root. */
final class TestingNamespace implements AutoCloseable {

  private static final AtomicInteger count = new AtomicInteger();

  private final String name;

  TestingNamespace() {
    name = "fvk-" + ProcessHandle.current().pid() + "-" + count.incrementAndGet();
    execute(List.of("ip", "netns", "add", name));
    run("ip link set lo up");
    run("ip link add eth0 type veth peer name wire");
    run("ip link set wire up");
    run("ip link set eth0 up");
    run("ip addr add 198.51.100.11/24 dev eth0");
  }

  Path path() {
    return Path.of("/run/netns", name);
  }

  /** The words that run a command inside. */
  List<String> inside(List<String> command) {
    List<String> words = new ArrayList<>(List.of("ip", "netns", "exec", name));
    words.addAll(command);
    return words;
  }

  /** Runs a command inside and returns what it prints; words are split at blanks. */
  String run(String command) {
    return execute(inside(List.of(command.split(" ", -1))));
  }

  /** What it prints, line by line and without leading blanks. */
  List<String> lines(String command) {
    return run(command).lines().map(String::strip).toList();
  }

  static String execute(List<String> words) {
    try {
      Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new IllegalStateException(String.join(" ", words) + ": " + output);
      }
      return output;
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(String.join(" ", words), e);
    }
  }

  @Override
  public void close() {
    execute(List.of("ip", "netns", "del", name));
  }
}
