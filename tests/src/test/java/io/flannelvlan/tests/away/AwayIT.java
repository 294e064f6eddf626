package io.flannelvlan.tests.away;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The shortest absence that has it all; {@code ./dev away} is the same for an hour. */
final class AwayIT {

  @Test
  void nothingIsLostWhileEtcdIsAwayAndAllAgreeOnceItIsBack() {
    Away away = new Away(new Plan(3, Duration.ZERO), System.out);
    assertThat(away.held()).as("what is told above").isTrue();
  }
}
