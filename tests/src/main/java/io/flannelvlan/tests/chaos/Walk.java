package io.flannelvlan.tests.chaos;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Draws one step after the other. */
final class Walk {
  private static final int LONGEST_MS = 3000;

  private final Draw draw;
  private final Ordinary ordinary;
  private final List<Fault> faults;
  private boolean first = true;

  Walk(Draw draw, Model model, List<Fault> faults) {
    this.draw = draw;
    this.ordinary = new Ordinary(draw, model);
    this.faults = faults;
  }

  Step next() {
    if (first || faults.isEmpty() || draw.chance(30)) {
      first = false;
      return new Step.Day(ordinary.phases());
    }
    Fault fault = draw.of(faults);
    Fault.Strike strike = fault.strikes().apply(draw);
    List<Work> work = ordinary.meanwhile(strike.host());
    Optional<Duration> head =
        draw.chance(50)
            ? Optional.of(Duration.ofMillis(draw.between(0, LONGEST_MS / 3)))
            : Optional.empty();
    return new Step.Trouble(
        fault, strike, work, head, Duration.ofMillis(draw.between(0, LONGEST_MS)));
  }
}
