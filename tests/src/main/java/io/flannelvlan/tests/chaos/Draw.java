package io.flannelvlan.tests.chaos;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Every decision of a walk; a seed gives the same ones again. */
final class Draw {
  private final Random random;

  Draw(long seed) {
    this.random = new Random(seed);
  }

  boolean chance(int percent) {
    return random.nextInt(100) < percent;
  }

  /** Both ends included. */
  int between(int least, int most) {
    return random.nextInt(least, most + 1);
  }

  <T> T of(List<T> all) {
    return all.get(random.nextInt(all.size()));
  }

  /** At most that many of them, each once. */
  <T> List<T> some(List<T> all, int most) {
    List<T> left = new ArrayList<>(all);
    List<T> drawn = new ArrayList<>();
    while (!left.isEmpty() && drawn.size() < most) {
      drawn.add(left.remove(random.nextInt(left.size())));
    }
    return drawn;
  }
}
