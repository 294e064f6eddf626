package io.flannelvlan.tests.lab;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.LongUnaryOperator;
import java.util.function.Supplier;

/** Waiting for a condition with a deadline, the only kind of waiting here. */
public final class Await {
  private static final long FIRST_PAUSE = Duration.ofMillis(20).toNanos();
  private static final long CLOSE_PAUSE = Duration.ofMillis(2).toNanos();
  private static final long LONGEST_PAUSE = Duration.ofMillis(250).toNanos();

  /** A look may cost a process or five: the longer it took so far, the less a pause adds to it. */
  private static final int PART = 20;

  private Await() {}

  /** Whether the condition came true in time. */
  public static boolean within(Duration limit, BooleanSupplier condition) {
    return within(
        limit, condition, waited -> Math.clamp(waited / PART, FIRST_PAUSE, LONGEST_PAUSE));
  }

  private static boolean within(
      Duration limit, BooleanSupplier condition, LongUnaryOperator pauseAfter) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      long waited = System.nanoTime() - start;
      if (waited > limit.toNanos()) {
        return false;
      }
      pause(pauseAfter.applyAsLong(waited));
    }
    return true;
  }

  /** Fails with the given words when the condition does not come true in time. */
  public static void until(Duration limit, Supplier<String> complaint, BooleanSupplier condition) {
    require(within(limit, condition), limit, complaint);
  }

  /** As {@link #until}, of a cheap look whose very moment is measured. */
  public static void closely(
      Duration limit, Supplier<String> complaint, BooleanSupplier condition) {
    require(within(limit, condition, _ -> CLOSE_PAUSE), limit, complaint);
  }

  private static void require(boolean inTime, Duration limit, Supplier<String> complaint) {
    if (!inTime) {
      throw new LabException("after " + limit.toSeconds() + " s: " + complaint.get());
    }
  }

  private static void pause(long nanos) {
    try {
      Thread.sleep(Duration.ofNanos(nanos));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted while waiting", e);
    }
  }
}
