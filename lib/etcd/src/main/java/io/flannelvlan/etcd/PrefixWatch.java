package io.flannelvlan.etcd;

import java.time.Duration;
import java.util.OptionalLong;
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
 * any trouble, compaction included, and after a long time without any change: a stream that was
 * forgotten by somebody on its way looks just like that.
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

  /** Some lists in an hour for each host and VLAN: nothing to an etcd. */
  static final Duration LONGEST_QUIET = Duration.ofMinutes(10);

  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(5);

  private final Etcd etcd;
  private final String prefix;
  private final WatchListener<Snapshot> listener;
  private final RandomGenerator random;
  private final Duration longestQuiet;
  private final Consumer<Health> onHealth = this::healthChanged;
  private final Semaphore retryNow = new Semaphore(0);
  private final Thread thread;
  private volatile @Nullable WatchStream stream;
  private volatile boolean current;
  private volatile boolean closed;

  // Only touched by the watch's thread.
  private boolean saidNotCurrent;
  private int failures;

  /**
   * Begins.
   *
   * @param longestQuiet without a change, until all is listed anew; a random half of it is left
   *     out, so that not all hosts list at once
   */
  PrefixWatch(
      Etcd etcd,
      String prefix,
      WatchListener<Snapshot> listener,
      RandomGenerator random,
      Duration longestQuiet) {
    this.etcd = etcd;
    this.prefix = prefix;
    this.listener = listener;
    this.random = random;
    this.longestQuiet = longestQuiet;
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

  /** Returns after a long quiet; else a stream ends with an exception. */
  private void follow() throws InterruptedException {
    Snapshot list = etcd.range(prefix, LIST_DEADLINE);
    try (WatchStream changes = etcd.stream(prefix, list.revision() + 1)) {
      stream = changes;
      SortedMap<String, KeyValue> entries = new TreeMap<>(list.entries());
      deliver(list);
      Duration quiet = Duration.ofNanos(spread(longestQuiet.toNanos()));
      OptionalLong revision = changes.applyNext(entries, quiet);
      while (revision.isPresent()) {
        deliver(new Snapshot(prefix, revision.getAsLong(), entries));
        revision = changes.applyNext(entries, quiet);
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
    if (retryNow.tryAcquire(spread(longest), TimeUnit.MILLISECONDS)) {
      retryNow.drainPermits();
    }
  }

  /** Something between the half and the whole. */
  private long spread(long whole) {
    return whole / 2 + random.nextLong(whole / 2 + 1);
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
