package io.flannelvlan.tests.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Walks for three minutes; {@code -Dchaos="--seed 7 --minutes 30"} asks for another walk. */
final class ChaosIT {
  private static final String ASKED = System.getProperty("chaos", "--seed 31 --minutes 3");

  @Test
  void everythingComesRightByItselfWhateverGoesWrong() {
    Chaos chaos = new Chaos(Options.parse(ASKED.split(" ", -1)), System.out);
    assertThat(chaos.walk()).as("the walk above").isTrue();
  }
}
