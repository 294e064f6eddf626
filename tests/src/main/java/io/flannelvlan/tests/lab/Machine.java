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
  private volatile String address;

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

  /** Of all machines, where disks are that outlive their power. */
  Namespaces lab() {
    return lab;
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
    plugInto("wire", name(), "eth0", address);
  }

  /** Is found at another address from now on, and at no other; also when the power was cut. */
  void move(String to) {
    in("ip", "address", "flush", "dev", "eth0").orThrow();
    in("ip", "address", "add", to + "/24", "dev", "eth0").orThrow();
    address = to;
  }

  /**
   * Joins another wire until the power is cut.
   *
   * @param wire the name of its bridge in the lab
   * @param end the name of this machine's link there
   */
  void plugInto(String wire, String end, String link, String at) {
    String pid = Long.toString(namespaces().pid());
    Namespaces there = Namespaces.network(lab.pid());
    there.run("ip", "link", "add", end, "type", "veth", "peer", link, "netns", pid).orThrow();
    there.run("ip", "link", "set", end, "master", wire, "up").orThrow();
    in("ip", "address", "add", at + "/24", "dev", link).orThrow();
    in("ip", "link", "set", link, "up").orThrow();
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
