package io.flannelvlan.tests.lab;

import java.nio.file.Path;

/**
 * A disk of its own below a host's state directory, which outlives the host's power: it can be
 * filled, and made read-only. Hosts have one from {@link Lab#stateDisks} on.
 */
public final class StateDisk {
  private final Host host;

  StateDisk(Host host) {
    this.host = host;
  }

  /** Where the lab's first process sees it, and so every host that is booted later. */
  static void mount(Namespaces lab, Path stateDir, String size) {
    lab.run("mkdir", "-p", stateDir.toString()).orThrow();
    lab.run("mount", "-t", "tmpfs", "-o", "size=" + size, "state", stateDir.toString()).orThrow();
  }

  /** Leaves no room; the last block of a file may have some. */
  public void fill() {
    Result dd = host.in("dd", "if=/dev/zero", "of=" + ballast(), "bs=4k");
    if (!dd.err().contains("No space left")) {
      throw new LabException(host.name() + "'s disk is not full: " + dd);
    }
  }

  public void empty() {
    host.in("rm", "-f", ballast()).orThrow();
  }

  /** Refused by the kernel while the plugin, or anybody else, has a file open for writing. */
  public void makeReadOnly() {
    remount("ro");
  }

  public void makeWritable() {
    remount("rw");
  }

  private void remount(String how) {
    host.in("mount", "-o", "remount," + how, host.stateDir().toString()).orThrow();
  }

  private String ballast() {
    return host.stateDir().resolve("ballast").toString();
  }
}
