package io.flannelvlan.tests.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A computer on the wire: namespaces of its own and eth0. Without Docker it is just somebody else.
 */
public final class Machine implements Station {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final Namespaces lab;
  private final Path dir;
  private final String address;

  Machine(Namespaces lab, Path dir, String address) {
    this.lab = lab;
    this.dir = dir;
    this.address = address;
  }

  @Override
  public String name() {
    return dir.getFileName().toString();
  }

  @Override
  public String address() {
    return address;
  }

  /** Answers HTTP on port 80 until the lab ends. */
  void serve(Path www) {
    namespaces()
        .command(Engine.busybox().toString(), "httpd", "-f", "-p", "80", "-h", www.toString())
        .spawn(dir.resolve("httpd.log"));
  }

  void powerOn() {
    try {
      Files.createDirectories(dir);
      Files.deleteIfExists(dir.resolve("pid"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Path log = dir.resolve("init.log");
    Command.of("unshare", "--net", "--uts", "--ipc", "--mount", "--pid", "--fork", "--kill-child")
        .with(Project.script("host-init"), dir)
        .inside(lab.prefix())
        .spawn(log);
    Await.until(
        PATIENCE, () -> name() + " does not start: " + log, () -> Files.exists(dir.resolve("pid")));
    plugIn();
  }

  /** As when the power is cut: every process ends at once, what was on disk stays. */
  void powerOff() {
    Namespaces running = namespaces();
    // The kernel takes its time to clear a dead namespace; the name must be free for the next
    // start.
    unplug();
    ProcessHandle.of(running.pid()).ifPresent(ProcessHandle::destroyForcibly);
    Await.until(PATIENCE, () -> name() + " does not end", () -> !running.exist());
  }

  private void plugIn() {
    String pid = Long.toString(namespaces().pid());
    Namespaces wire = Namespaces.network(lab.pid());
    wire.run("ip", "link", "add", name(), "type", "veth", "peer", "eth0", "netns", pid).orThrow();
    wire.run("ip", "link", "set", name(), "master", "wire", "up").orThrow();
    in("ip", "address", "add", address + "/24", "dev", "eth0").orThrow();
    in("ip", "link", "set", "eth0", "up").orThrow();
  }

  private void unplug() {
    Namespaces.network(lab.pid()).run("ip", "link", "delete", name()).orThrow();
  }

  Namespaces namespaces() {
    try {
      return Namespaces.host(Long.parseLong(Files.readString(dir.resolve("pid")).strip()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
