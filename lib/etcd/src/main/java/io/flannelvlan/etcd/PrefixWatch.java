package io.flannelvlan.etcd;

import java.time.Duration;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All keys with one prefix, kept current: list, watch from the next revision, and list again after
 * any trouble, compaction included.
 *
 * <p>Runs on one virtual thread of its own, which also calls the listener.
 */
public final class PrefixWatch implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(PrefixWatch.class);

  /** A list may be long, and nobody waits for it. */
  private static final Duration LIST_DEADLINE = Duration.ofSeconds(5);

  private static final long FIRST_PAUSE_MILLIS = 50;
  private static final long LONGEST_PAUSE_MILLIS = 2_000;

  /** A stream that lived this long was a good one: its end starts a new count of failures. */
  private static final Duration GOOD_STREAM = Duration.ofSeconds(2);

  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(5);

  private final Etcd etcd;
  private final String prefix;
  private final WatchListener<Snapshot> listener;
  private final RandomGenerator random;
  private final Consumer<Health> onHealth = this::healthChanged;
  private final Semaphore retryNow = new Semaphore(0);
  private final Thread thread;
  private volatile @Nullable WatchStream stream;
  private volatile boolean current;
  private volatile boolean closed;

  // Only touched by the watch's thread.
  private boolean saidNotCurrent;
  private int failures;

  PrefixWatch(Etcd etcd, String prefix, WatchListener<Snapshot> listener, RandomGenerator random) {
    this.etcd = etcd;
    this.prefix = prefix;
    this.listener = listener;
    this.random = random;
    etcd.onHealth(onHealth);
    this.thread = Thread.ofVirtual().name("etcd-watch " + prefix).start(this::run);
  }

  /** True if the listener has the state of now, give or take the delay of the network. */
  public boolean isCurrent() {
    return current;
  }

  /** Ends the watch; once this returns the listener is not called any more. */
  @Override
  public void close() {
    closed = true;
    etcd.forget(this, onHealth);
    thread.interrupt();
    if (Thread.currentThread() == thread) {
      return;
    }
    try {
      if (!thread.join(CLOSE_PATIENCE)) {
        LOG.warn("watch of {}: its listener is still at work, left behind", prefix);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try {
      while (!closed) {
        long start = System.nanoTime();
        try {
          follow();
        } catch (EtcdException e) {
          lost(e);
          boolean wasGood = System.nanoTime() - start > GOOD_STREAM.toNanos();
          failures = wasGood ? 0 : failures + 1;
        }
        pause();
      }
    } catch (InterruptedException _) {
      // closed
    } finally {
      current = false;
    }
  }

  /** Never returns: a watch ends with an exception. */
  private void follow() throws InterruptedException {
    Snapshot list = etcd.range(prefix, LIST_DEADLINE);
    try (WatchStream changes = etcd.stream(prefix, list.revision() + 1)) {
      stream = changes;
      SortedMap<String, KeyValue> entries = new TreeMap<>(list.entries());
      deliver(list);
      while (true) {
        long revision = changes.applyNext(entries);
        deliver(new Snapshot(prefix, revision, entries));
      }
    } finally {
      stream = null;
    }
  }

  private void deliver(Snapshot snapshot) {
    saidNotCurrent = false;
    current = true;
    tell(() -> listener.current(snapshot));
  }

  private void lost(EtcdException reason) {
    current = false;
    if (!saidNotCurrent && !closed) {
      saidNotCurrent = true;
      tell(() -> listener.notCurrent(reason));
    }
  }

  /** A listener's fault must not end the watch: the next state may be one it can bear. */
  private void tell(Runnable call) {
    if (closed) {
      return;
    }
    try {
      call.run();
    } catch (RuntimeException | Error e) {
      LOG.error("the listener of {} failed", prefix, e);
    }
  }

  /** Doubles up to the longest, and takes a random part of that: not all hosts list at once. */
  private void pause() throws InterruptedException {
    long longest = Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS << Math.min(failures, 10));
    long millis = longest / 2 + random.nextLong(longest / 2 + 1);
    if (retryNow.tryAcquire(millis, TimeUnit.MILLISECONDS)) {
      retryNow.drainPermits();
    }
  }

  private void healthChanged(Health health) {
    WatchStream open = stream;
    if (health.reachable()) {
      retryNow.release();
    } else if (open != null) {
      // Frozen or cut off, a stream looks merely quiet.
      open.broken("etcd is away");
    }
  }
}
