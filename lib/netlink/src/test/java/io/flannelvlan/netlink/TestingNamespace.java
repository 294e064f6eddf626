package io.flannelvlan.netlink;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A fresh network namespace, gone with all its links when the test is over. Needs root. */
final class TestingNamespace implements AutoCloseable {

  private static final AtomicInteger count = new AtomicInteger();

  private final String name;

  TestingNamespace() {
    name = "fvt-" + ProcessHandle.current().pid() + "-" + count.incrementAndGet();
    execute(List.of("ip", "netns", "add", name));
    // As on every host; without any address there is no local table, and no gateway is valid.
    run("ip link set lo up");
  }

  Path path() {
    return Path.of("/run/netns", name);
  }

  /** Runs a command inside and returns what it prints; words are split at blanks. */
  String run(String command) {
    List<String> words = new ArrayList<>(List.of("ip", "netns", "exec", name));
    words.addAll(List.of(command.split(" ", -1)));
    return execute(words);
  }

  /** Runs a line of shell inside. */
  String shell(String line) {
    return execute(List.of("ip", "netns", "exec", name, "sh", "-c", line));
  }

  /** Writes a file below {@code /proc/sys/net}; a bare machine has no {@code sysctl}. */
  void set(String setting, String value) {
    shell("echo " + value + " > /proc/sys/net/" + setting);
  }

  /** What a command such as {@code ip -j -d link show dev br0} prints; its first object. */
  JsonNode first(String command) {
    return json(command).get(0);
  }

  JsonNode json(String command) {
    try {
      return new ObjectMapper().readTree(run(command));
    } catch (IOException e) {
      throw new IllegalStateException(command, e);
    }
  }

  private static String execute(List<String> words) {
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
