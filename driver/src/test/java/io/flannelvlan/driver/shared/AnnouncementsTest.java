package io.flannelvlan.driver.shared;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AnnouncementsTest {

  private static final Duration BEGIN = Duration.ofHours(5);
  private static final Duration OVERDUE = BEGIN.plus(Announcements.PATIENCE);
  private static final Map<String, SharedNetwork> WORDS =
      Map.of(
          "vlan002", new SharedNetwork.Announced(Instant.EPOCH),
          "vlan003", new SharedNetwork.Unreadable("no JSON"));

  private final Announcements announcements = new Announcements();

  @Test
  void aVlanOfWhichNobodySaysMoreIsOverdueAfterSomeTime() {
    announcements.shown(WORDS, BEGIN);
    announcements.shown(WORDS, OVERDUE.minusNanos(1));
    assertThat(announcements.overdue(OVERDUE.minusNanos(1))).isEmpty();
    assertThat(announcements.overdue(OVERDUE)).containsExactly("vlan002");
  }

  @Test
  void oneThatIsDescribedOrGoneIsNotWaitedFor() {
    announcements.shown(WORDS, BEGIN);
    assertThat(announcements.isAny()).isTrue();
    announcements.shown(Map.of("vlan002", new SharedNetwork.Unreadable("")), BEGIN);
    assertThat(announcements.isAny()).isFalse();
    announcements.shown(WORDS, BEGIN);
    announcements.shown(Map.of(), BEGIN);
    assertThat(announcements.isAny()).isFalse();
  }

  @Test
  void noTimeRunsWhileEtcdIsAway() {
    announcements.shown(WORDS, BEGIN);
    announcements.etcdIsAway();
    announcements.shown(WORDS, OVERDUE);
    assertThat(announcements.overdue(OVERDUE)).isEmpty();
    assertThat(announcements.overdue(OVERDUE.plus(Announcements.PATIENCE))).hasSize(1);
  }
}
