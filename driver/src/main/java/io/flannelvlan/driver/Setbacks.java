package io.flannelvlan.driver;

import io.flannelvlan.driver.shared.Step;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** When steps that did not succeed are due again: ever more seldom. For one thread. */
final class Setbacks {

  private record Setback(int times, Duration due) {}

  /** What waits for dockerd to end a call, or for another host. */
  private static final Duration SOON = Duration.ofMillis(50);

  private static final Duration LATEST_OF_SOON = Duration.ofSeconds(10);

  /** What somebody has to do something about. */
  private static final Duration LATER = Duration.ofSeconds(1);

  private static final Duration LATEST = Duration.ofSeconds(60);

  private final Map<Step, Setback> all = new HashMap<>();

  boolean isDue(Step step, Duration now) {
    Setback setback = all.get(step);
    return setback == null || setback.due().compareTo(now) <= 0;
  }

  void tooEarly(Step step, Duration now) {
    putOff(step, now, SOON, LATEST_OF_SOON);
  }

  void failed(Step step, Duration now) {
    putOff(step, now, LATER, LATEST);
  }

  private void putOff(Step step, Duration now, Duration first, Duration last) {
    Setback before = all.getOrDefault(step, new Setback(0, now));
    Duration doubled = first.multipliedBy(1L << Math.min(before.times(), 20));
    Duration pause = doubled.compareTo(last) < 0 ? doubled : last;
    all.put(step, new Setback(before.times() + 1, now.plus(pause)));
  }

  /** Forgets all others: who needs one of them again begins anew. */
  void keepOnly(Collection<Step> steps) {
    all.keySet().retainAll(steps);
  }

  /** When the first of them is due. */
  Optional<Duration> next() {
    return all.values().stream().map(Setback::due).min(Duration::compareTo);
  }
}
