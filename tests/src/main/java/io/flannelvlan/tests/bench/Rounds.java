package io.flannelvlan.tests.bench;

import java.util.ArrayList;
import java.util.List;

/** Times that the same work took, in milliseconds. */
record Rounds(List<Double> times) {
  private static final int WARM_UP = 3;
  private static final int COUNTED = 20;

  Rounds {
    times = times.stream().sorted().toList();
  }

  /** Does two works in turns, so that whatever else the machine does meets both. */
  static Pair inTurns(Runnable ours, Runnable peers) {
    List<Double> first = new ArrayList<>();
    List<Double> second = new ArrayList<>();
    for (int i = 0; i < WARM_UP + COUNTED; i++) {
      double mine = time(ours);
      double theirs = time(peers);
      if (i >= WARM_UP) {
        first.add(mine);
        second.add(theirs);
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
