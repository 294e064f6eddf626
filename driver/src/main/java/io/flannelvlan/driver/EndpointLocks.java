package io.flannelvlan.driver;

import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Puts the calls about one endpoint in a row: dockerd repeats a call after a transport error while
 * the first may still be at work. Endpoints that share a lock wait for each other now and then,
 * which harms nobody.
 */
final class EndpointLocks {

  private final ReentrantLock[] locks =
      IntStream.range(0, 64).mapToObj(_ -> new ReentrantLock()).toArray(ReentrantLock[]::new);

  <T> T during(String endpoint, Supplier<T> work) {
    ReentrantLock lock = locks[Math.floorMod(endpoint.hashCode(), locks.length)];
    lock.lock();
    try {
      return work.get();
    } finally {
      lock.unlock();
    }
  }

  void during(String endpoint, Runnable work) {
    during(endpoint, supplying(work));
  }

  /** Work that gives nothing, for who takes what gives something. */
  static Supplier<Boolean> supplying(Runnable work) {
    return () -> {
      work.run();
      return true;
    };
  }
}
