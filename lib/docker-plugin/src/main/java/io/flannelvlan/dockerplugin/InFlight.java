package io.flannelvlan.dockerplugin;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Counts requests from their headers to the last byte of their answer.
 *
 * <p>Jetty's own graceful stop answers 503 to what still comes in, and dockerd never repeats a call
 * that was answered. A cut connection it does repeat, and meets the next instance.
 */
final class InFlight extends Handler.Wrapper {

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition none = lock.newCondition();
  // Both guarded by the lock, which is held over no I/O.
  private int count;
  private boolean stopping;

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    lock.lock();
    try {
      count++;
      if (stopping) {
        // The peer shall not reuse the connection for a call that nobody would answer.
        response.getHeaders().put(HttpHeader.CONNECTION, "close");
      }
    } finally {
      lock.unlock();
    }
    Request.addCompletionListener(request, _ -> leave());
    return super.handle(request, response, callback);
  }

  private void leave() {
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

  /** Waits until no request is under way; whether that came true in time. */
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
