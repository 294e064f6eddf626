package io.flannelvlan.tests.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * A time that is promised, and how it is kept: each time within the {@link Leeway}, and at best
 * within what is promised.
 */
public final class Promise {
  private final Duration promised;
  private final List<Duration> taken = new CopyOnWriteArrayList<>();

  public Promise(Duration promised) {
    this.promised = promised;
  }

  /** Waits until the condition comes true, which has begun to come true just now. */
  public void await(Supplier<String> complaint, BooleanSupplier condition) {
    long start = System.nanoTime();
    Await.until(Leeway.over(promised), complaint, condition);
    took(Duration.ofNanos(System.nanoTime() - start));
  }

  /** It took so long this time. */
  public void took(Duration time) {
    taken.add(time);
  }

  /**
   * At least once it was kept to the letter: nothing in the way of working takes longer. How often
   * is told and not required, since that says more of the machine than of us.
   */
  public void requireKept() {
    List<Duration> all = taken.stream().sorted().toList();
    System.out.println(
        "promised within %d ms, and it took %s ms"
            .formatted(promised.toMillis(), all.stream().map(Duration::toMillis).toList()));
    assertThat(all).isNotEmpty();
    assertThat(all.getFirst()).isLessThan(promised);
  }
}
