package io.flannelvlan.dockerplugin;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Counts calls from their headers to the last byte of their answer.
 *
 * <p>A server that stops may answer no call with an error for that reason alone: dockerd never
 * repeats a call that was answered. A cut connection it does repeat, and meets the next instance.
 */
final class InFlight {

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition none = lock.newCondition();
  // Both guarded by the lock, which is held over no I/O.
  private int count;
  private boolean stopping;

  void enter() {
    lock.lock();
    try {
      count++;
    } finally {
      lock.unlock();
    }
  }

  void leave() {
    lock.lock();
    try {
      count--;
      if (count == 0) {
        none.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Whether peers shall not reuse their connection, for a call that nobody would answer. */
  boolean isStopping() {
    lock.lock();
    try {
      return stopping;
    } finally {
      lock.unlock();
    }
  }

  /** Waits until no call is under way; whether that came true in time. */
  boolean drain(Duration patience) throws InterruptedException {
    long left = patience.toNanos();
    lock.lockInterruptibly();
    try {
      stopping = true;
      while (count > 0 && left > 0) {
        left = none.awaitNanos(left);
      }
      return count == 0;
    } finally {
      lock.unlock();
    }
  }
}
