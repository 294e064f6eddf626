package io.flannelvlan.tests.lab;

import java.time.Duration;

/**
 * What a busy machine may add to a time that is promised.
 *
 * <p>A test shows that a thing comes by itself, and long before a fall-back would have brought it:
 * the reconciler looks at everything each 30 s only, a call of etcd may last 2 s. How soon it comes
 * on a machine that does nothing else is measured by the benches, and told in docs/RELIABILITY.md.
 */
public final class Leeway {
  private static final int TIMES = 5;

  private Leeway() {}

  /** How long to wait for what is promised within this time. */
  public static Duration over(Duration promised) {
    return promised.multipliedBy(TIMES);
  }
}
