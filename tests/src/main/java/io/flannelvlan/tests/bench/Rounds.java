package io.flannelvlan.tests.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleSupplier;

/** Times that the same work took, in milliseconds. */
record Rounds(List<Double> times) {
  private static final int WARM_UP = 4;
  private static final int COUNTED = 20;

  /** How often {@link #inTurns(Runnable, Runnable)} does each work. */
  static final int ALL = WARM_UP + COUNTED;

  Rounds {
    times = times.stream().sorted().toList();
  }

  /** Does two works in turns, timed in milliseconds. */
  static Pair inTurns(Runnable ours, Runnable peers) {
    inTurns(WARM_UP, () -> time(ours), () -> time(peers));
    return inTurns(COUNTED, () -> time(ours), () -> time(peers));
  }

  /**
   * Measures two works in turns, so that whatever else the machine does meets both, and swaps them
   * each time, since what one leaves to be cleaned up costs the other.
   */
  static Pair inTurns(int rounds, DoubleSupplier ours, DoubleSupplier peers) {
    List<Double> first = new ArrayList<>();
    List<Double> second = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      if (i % 2 == 0) {
        first.add(ours.getAsDouble());
        second.add(peers.getAsDouble());
      } else {
        second.add(peers.getAsDouble());
        first.add(ours.getAsDouble());
      }
    }
    return new Pair(new Rounds(first), new Rounds(second));
  }

  record Pair(Rounds ours, Rounds peers) {}

  static double time(Runnable work) {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) / 1e6;
  }

  double median() {
    return times.get(times.size() / 2);
  }

  double percentile(int percent) {
    return times.get(Math.min(times.size() - 1, times.size() * percent / 100));
  }
}
