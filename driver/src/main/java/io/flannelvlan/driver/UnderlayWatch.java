package io.flannelvlan.driver;

import io.flannelvlan.netlink.Event;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices that this host is found at another address, or by another link, and lets the VLANs
 * follow.
 *
 * <p>A look costs a dump, and a host that renews its address loses it for a moment: so it looks
 * once the kernel has been calm for a while, or when that does not come. {@link #lock} guards the
 * fields below it.
 */
final class UnderlayWatch implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(UnderlayWatch.class);
  private static final Duration CALM = Duration.ofMillis(300);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(1);

  /** After what failed; twice as long each time that it fails again. */
  private static final Duration FIRST_RETRY = Duration.ofSeconds(1);

  private static final Duration LAST_RETRY = Duration.ofSeconds(30);

  private final BooleanSupplier follow;
  private final Thread thread = Thread.ofVirtual().name("underlay").unstarted(this::run);

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition happened = lock.newCondition();
  private long lastNanos;
  private boolean news;

  /**
   * A watch, not yet started.
   *
   * @param follow compares and moves, and says whether it is done; called on this watch's thread
   */
  UnderlayWatch(BooleanSupplier follow) {
    this.follow = follow;
  }

  /** Looks once, since the host may have got another address while this was down; then follows. */
  void start() {
    remember();
    thread.start();
  }

  /** Something changed in the kernel. */
  void heard(Event event) {
    switch (event) {
      case Event.AddressChanged _, Event.RouteChanged _, Event.LinkChanged _, Event.Overrun _ ->
          remember();
      case Event.NeighborChanged _, Event.SettingChanged _, Event.NftablesChanged _ -> {}
    }
  }

  private void remember() {
    lock.lock();
    try {
      lastNanos = System.nanoTime();
      news = true;
      happened.signal();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    Optional<Duration> retry = Optional.empty();
    try {
      while (true) {
        awaitCalm(retry);
        retry =
            isFollowed()
                ? Optional.empty()
                : Optional.of(retry.map(UnderlayWatch::longer).orElse(FIRST_RETRY));
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static Duration longer(Duration retry) {
    Duration twice = retry.multipliedBy(2);
    return twice.compareTo(LAST_RETRY) < 0 ? twice : LAST_RETRY;
  }

  private boolean isFollowed() {
    try {
      return follow.getAsBoolean();
    } catch (RuntimeException e) {
      LOG.warn("this host's address was not followed: {}", e.getMessage());
      return false;
    }
  }

  /** Waits for news, or for the time of the retry. */
  private void awaitCalm(Optional<Duration> retry) throws InterruptedException {
    lock.lock();
    try {
      long left = retry.map(Duration::toNanos).orElse(Long.MAX_VALUE);
      while (!news && left > 0) {
        left = happened.awaitNanos(left);
      }
      long end = System.nanoTime() + LONGEST_WAIT.toNanos();
      while (news) {
        left = Math.min(lastNanos + CALM.toNanos(), end) - System.nanoTime();
        if (left <= 0) {
          news = false;
        } else {
          happened.awaitNanos(left);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
