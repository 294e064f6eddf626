package io.flannelvlan.driver;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * That something happened, told by any thread to one that then looks at everything. The first look
 * need not wait for any.
 */
final class News {

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition happened = lock.newCondition();
  private boolean any = true;

  /** Something happened; returns at once. */
  void tell() {
    lock.lock();
    try {
      any = true;
      happened.signal();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits for news, at most so long; they are heard then.
   *
   * @return whether there were any
   */
  boolean await(Duration atMost) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long left = atMost.toNanos();
      while (!any && left > 0) {
        left = happened.awaitNanos(left);
      }
      boolean heard = any;
      any = false;
      return heard;
    } finally {
      lock.unlock();
    }
  }

  /** Waits this long, for news that come in swarms; all that come are heard. */
  void gather(Duration swarm) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long left = swarm.toNanos();
      while (left > 0) {
        left = happened.awaitNanos(left);
      }
      any = false;
    } finally {
      lock.unlock();
    }
  }
}
