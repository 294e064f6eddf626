package io.flannelvlan.tests.invariants;

import java.time.Duration;
import java.util.List;

/** What did not come to hold in time. */
public final class InvariantBroken extends RuntimeException {
  private static final long serialVersionUID = 1;

  InvariantBroken(Duration taken, List<String> broken) {
    super("after %.1f s:\n  %s".formatted(taken.toMillis() / 1000.0, String.join("\n  ", broken)));
  }
}
