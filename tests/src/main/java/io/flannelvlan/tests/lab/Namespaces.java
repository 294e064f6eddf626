package io.flannelvlan.tests.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The namespaces of a process, as a place to run tools in. */
record Namespaces(long pid, List<String> kinds) {
  static Namespaces network(long pid) {
    return new Namespaces(pid, List.of("--net"));
  }

  /** What runs here ends with the lab, for it is in the lab's PID namespace. */
  static Namespaces lab(long pid) {
    return new Namespaces(pid, List.of("--net", "--mount", "--pid"));
  }

  static Namespaces host(long pid) {
    return new Namespaces(pid, List.of("--net", "--mount", "--pid", "--uts", "--ipc"));
  }

  Result run(String... words) {
    return command(words).run();
  }

  Command command(String... words) {
    return Command.of(words).inside(prefix());
  }

  List<String> prefix() {
    List<String> prefix = new ArrayList<>(List.of("nsenter", "--target", Long.toString(pid)));
    prefix.addAll(kinds);
    prefix.add("--");
    return List.copyOf(prefix);
  }

  /** A path as a process in here sees it, from outside: how the JVM reaches a host's sockets. */
  Path path(String inside) {
    return Path.of("/proc", Long.toString(pid), "root" + inside);
  }

  boolean exist() {
    return Files.exists(Path.of("/proc", Long.toString(pid), "ns/net"));
  }
}
