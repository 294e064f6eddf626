package io.flannelvlan.driver.kernel;

import static org.assertj.core.api.Assertions.assertThat;

/** What plans make of a state, if all of their changes succeed. */
final class Played {
  private Played() {}

  /** When nothing is left to be changed, which must come soon. */
  static KernelState settled(Desired desired, KernelState from) {
    KernelState state = from;
    for (int pass = 0; pass < 4; pass++) {
      Plan plan = Plan.between(desired, state);
      assertThat(plan.conflicts()).isEmpty();
      if (plan.changes().isEmpty()) {
        return state;
      }
      state = play(plan, state);
    }
    throw new AssertionError("does not settle:\n" + Plan.between(desired, state));
  }

  /** After one plan. */
  static KernelState play(Plan plan, KernelState from) {
    KernelState state = from;
    for (Change change : plan.changes()) {
      state = state.after(change);
    }
    return state;
  }
}
