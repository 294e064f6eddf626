package io.flannelvlan.netlink;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/**
 * A network namespace, held open.
 *
 * <p>A socket stays in the namespace in which it was made, a thread in the one that it entered. So
 * a namespace is entered only by a platform thread that does nothing else and ends, and only to
 * open a socket: a pooled thread would carry the namespace into other work, and a virtual thread
 * does not keep its OS thread.
 */
public final class Namespace implements AutoCloseable {

  private final Path path;
  private final int descriptor;
  private boolean closed;

  private Namespace(Path path, int descriptor) {
    this.path = path;
    this.descriptor = descriptor;
  }

  /**
   * Opens a namespace by its file, such as {@code /run/netns/x} or {@code /proc/17/ns/net}.
   *
   * @throws NetlinkException if the file cannot be opened
   */
  public static Namespace open(Path path) {
    try (Arena arena = Arena.ofConfined()) {
      int descriptor = new Libc(arena).open(arena.allocateFrom(path.toString()));
      if (descriptor < 0) {
        throw NetlinkException.of("open namespace " + path, -descriptor, "");
      }
      return new Namespace(path, descriptor);
    }
  }

  /** The file descriptor: for requests that name a namespace to the kernel. */
  int descriptor() {
    return descriptor;
  }

  /** Runs {@code work} on a thread of its own inside the namespace, and waits for it. */
  <T> T call(Supplier<T> work) {
    FutureTask<T> task =
        new FutureTask<>(() -> {
          enter();
          return work.get();
        });
    Thread.ofPlatform().name("netns-visitor").daemon(true).start(task);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException _) {
          // The visit takes microseconds, and what it opens must not be lost.
          interrupted = true;
        }
      }
    } catch (ExecutionException failure) {
      if (failure.getCause() instanceof NetlinkException refusal) {
        throw refusal;
      }
      throw new IllegalStateException("a visit to namespace " + path + " failed", failure);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void enter() {
    try (Arena arena = Arena.ofConfined()) {
      int result = new Libc(arena).setNetworkNamespace(descriptor);
      if (result < 0) {
        throw NetlinkException.of("enter namespace " + path, -result, "");
      }
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try (Arena arena = Arena.ofConfined()) {
      new Libc(arena).close(descriptor);
    }
  }

  @Override
  public String toString() {
    return path.toString();
  }
}
