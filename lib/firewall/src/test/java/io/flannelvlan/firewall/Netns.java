package io.flannelvlan.firewall;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * A network namespace made by {@code ip netns add}, and work done inside it: on a thread of its own
 * that ends, whose sockets, child processes and /proc/sys/net are the namespace's.
 */
@SuppressWarnings("restricted")
record Netns(String name) {

  private static final Linker LINKER = Linker.nativeLinker();
  private static final MethodHandle OPEN =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("open"),
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle SETNS =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("setns"),
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
  private static final MethodHandle CLOSE =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("close"), FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final int CLONE_NEWNET = 0x40000000;

  /** Starts work inside. */
  <T> FutureTask<T> start(Callable<T> work) {
    FutureTask<T> task =
        new FutureTask<>(() -> {
          enter();
          return work.call();
        });
    Thread.ofPlatform().name("in " + name).daemon(true).start(task);
    return task;
  }

  /** Does work inside. */
  <T> T in(Callable<T> work) {
    return result(start(work));
  }

  static <T> T result(FutureTask<T> task) {
    try {
      return task.get();
    } catch (ExecutionException failure) {
      if (failure.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(failure.getCause());
    } catch (InterruptedException interruption) {
      throw new IllegalStateException(interruption);
    }
  }

  private void enter() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocateFrom("/run/netns/" + name);
      int descriptor = (int) OPEN.invokeExact(path, 0);
      int entered = (int) SETNS.invokeExact(descriptor, CLONE_NEWNET);
      int closed = (int) CLOSE.invokeExact(descriptor);
      if (descriptor < 0 || entered < 0 || closed < 0) {
        throw new IllegalStateException("cannot enter namespace " + name);
      }
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable failure) {
      throw new IllegalStateException(failure);
    }
  }
}
