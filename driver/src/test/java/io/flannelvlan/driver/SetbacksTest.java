package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.driver.shared.Step;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SetbacksTest {

  private static final Step STEP = new Step.Discard("vlan001");
  private static final Step OTHER = new Step.Discard("vlan002");

  private final Setbacks setbacks = new Setbacks();

  @Test
  void whatFailsIsTriedEverMoreSeldom() {
    Duration now = Duration.ofSeconds(100);
    List<Long> pauses = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      setbacks.failed(STEP, now);
      Duration due = setbacks.next().orElseThrow();
      assertThat(setbacks.isDue(STEP, due.minusMillis(1))).isFalse();
      assertThat(setbacks.isDue(STEP, due)).isTrue();
      pauses.add(due.minus(now).toSeconds());
      now = due;
    }
    assertThat(pauses).containsExactly(1L, 2L, 4L, 8L, 16L, 32L, 60L, 60L);
  }

  @Test
  void whatIsTooEarlyIsTriedWithinTwoSecondsSixTimes() {
    Duration now = Duration.ZERO;
    for (int i = 0; i < 5; i++) {
      setbacks.tooEarly(STEP, now);
      now = setbacks.next().orElseThrow();
    }
    assertThat(now).isLessThan(Duration.ofSeconds(2));
    for (int i = 0; i < 100; i++) {
      setbacks.tooEarly(STEP, now);
    }
    assertThat(setbacks.next().orElseThrow().minus(now)).isEqualTo(Duration.ofSeconds(10));
  }

  @Test
  void oneThatIsNotWantedAnyMoreBeginsAnew() {
    setbacks.failed(STEP, Duration.ZERO);
    setbacks.failed(STEP, Duration.ZERO);
    setbacks.failed(OTHER, Duration.ZERO);
    setbacks.keepOnly(List.of(OTHER));
    assertThat(setbacks.isDue(STEP, Duration.ZERO)).isTrue();
    assertThat(setbacks.isDue(OTHER, Duration.ZERO)).isFalse();
    setbacks.failed(STEP, Duration.ZERO);
    assertThat(setbacks.next()).contains(Duration.ofSeconds(1));
  }
}
