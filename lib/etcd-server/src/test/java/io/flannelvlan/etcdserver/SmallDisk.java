package io.flannelvlan.etcdserver;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A real file system of its own, to be filled and to be made read-only. Root alone can have one.
 */
final class SmallDisk implements AutoCloseable {

  /** etcd takes its log in pieces of 64 MB, the next one in advance. */
  private static final String SIZE = "size=160m";

  private static final int BLOCK = 4096;

  private final Path directory;
  private final Path ballast;

  SmallDisk(Path directory) {
    this.directory = directory;
    this.ballast = directory.resolve("ballast");
    require(run("mount", "-t", "tmpfs", "-o", SIZE, "small", directory.toString()));
  }

  void fill() {
    try (OutputStream out = Files.newOutputStream(ballast)) {
      while (true) {
        out.write(new byte[BLOCK]);
      }
    } catch (IOException e) {
      if (!String.valueOf(e.getMessage()).contains("No space left")) {
        throw new UncheckedIOException(e);
      }
    }
  }

  void makeRoom() {
    try {
      Files.delete(ballast);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The kernel refuses as long as somebody has a file open to write into it. */
  boolean isMadeReadOnly() {
    return run("mount", "-o", "remount,ro", directory.toString()).isEmpty();
  }

  void makeWritable() {
    require(run("mount", "-o", "remount,rw", directory.toString()));
  }

  @Override
  public void close() {
    require(run("umount", directory.toString()));
  }

  private static void require(String complaint) {
    if (!complaint.isEmpty()) {
      throw new IllegalStateException(complaint);
    }
  }

  /** Returns what it complains about. */
  private static String run(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return process.waitFor() == 0 ? "" : String.join(" ", command) + ": " + said.strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
