package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.driver.kernel.Desired.Extent;
import io.flannelvlan.driver.kernel.KernelLink;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.journal.Journal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a start takes for lost, by what the journal and the kernel show it. */
class LostRecordsTest {

  private static final KernelState WITH_LINKS =
      new KernelState(
          Map.of(
              "fvbr.2",
              new KernelLink(
                  "fvbr.2",
                  new KernelLink.Bridge(),
                  Optional.empty(),
                  1450,
                  true,
                  Optional.empty(),
                  "flannelvlan vlan002")),
          Set.of(),
          Set.of(),
          Set.of(),
          Set.of(),
          Set.of());

  @TempDir Path state;

  @Test
  void aFirstStartMayHaveNetworksToLearnAndNoLinksToKeep() {
    try (Journal journal = Journal.open(state)) {
      LostRecords lost = lost(journal, KernelState.empty());
      assertThat(lost.isLost()).isTrue();
      assertThat(lost.extent()).isEqualTo(Extent.ALL);
    }
  }

  @Test
  void linksWithoutRecordsStayUntilAllIsHadBack() {
    try (Journal journal = Journal.open(state)) {
      LostRecords lost = lost(journal, WITH_LINKS);
      assertThat(lost.extent()).isEqualTo(Extent.BEGUN);
      lost.asked();
      assertThat(lost.extent()).isEqualTo(Extent.HAD_BACK);
      lost.found();
      assertThat(lost.extent()).isEqualTo(Extent.ALL);
      assertThat(lost.isLost()).isFalse();
    }
  }

  @Test
  void aRestartBeforeThatForgetsNothing() {
    try (Journal journal = Journal.open(state)) {
      lost(journal, WITH_LINKS).asked();
    }
    try (Journal journal = Journal.open(state)) {
      assertThat(lost(journal, KernelState.empty()).extent()).isEqualTo(Extent.BEGUN);
    }
  }

  @Test
  void damageLaterOnKeepsTheLinksOfAHostWhoseDockerNeverAnswered() throws IOException {
    try (Journal journal = Journal.open(state)) {
      lost(journal, KernelState.empty());
    }
    Files.writeString(
        state.resolve("journal"), Files.readString(state.resolve("journal")) + "rubbish\n{}\n");
    try (Journal journal = Journal.open(state)) {
      assertThat(journal.isDamaged()).isTrue();
      assertThat(lost(journal, WITH_LINKS).extent()).isEqualTo(Extent.BEGUN);
    }
  }

  private static LostRecords lost(Journal journal, KernelState state) {
    return new LostRecords(journal, state, Clock.systemUTC());
  }
}
