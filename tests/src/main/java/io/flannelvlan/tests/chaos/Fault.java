package io.flannelvlan.tests.chaos;

import java.util.OptionalInt;
import java.util.function.Function;

/**
 * A way to go wrong.
 *
 * @param effect what running containers may notice
 * @param strikes draws the particulars
 */
record Fault(String name, Kind kind, Effect effect, Function<Draw, Fault.Strike> strikes) {

  /**
   * One time that it goes wrong.
   *
   * @param where on which host, or anything else that tells it from another
   * @param host its number, if it is one host's trouble
   * @param begin does the harm
   * @param end undoes what nothing heals by itself: starts what was stopped
   * @param refuses whether commands may fail meanwhile
   */
  record Strike(String where, OptionalInt host, Runnable begin, Runnable end, boolean refuses) {

    /** On nobody's host; work goes on as ever. */
    static Strike of(String where, Runnable begin, Runnable end) {
      return new Strike(where, OptionalInt.empty(), begin, end, false);
    }

    static Strike of(String where, Runnable harm) {
      return of(where, harm, () -> {});
    }

    Strike on(int number) {
      return new Strike(where, OptionalInt.of(number), begin, end, refuses);
    }

    Strike refusing() {
      return new Strike(where, host, begin, end, true);
    }
  }
}
