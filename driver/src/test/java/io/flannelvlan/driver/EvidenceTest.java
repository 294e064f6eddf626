package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.dockerengine.Attachment;
import io.flannelvlan.driver.Endpoint.State;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

/** What may be given up, and above all what may not. */
class EvidenceTest {

  private static final Duration GRACE = Duration.ofMinutes(1);
  private static final DockerView NOTHING = new DockerView(Set.of(), Set.of(), Set.of());
  private static final List<State> LIFE = List.of(State.CREATED, State.JOINED, State.LEFT);
  private static final Held A = endpoint("a", State.JOINED);

  private Duration now = Duration.ofHours(5);
  private final Calls calls = new Calls(() -> now);
  private Evidence evidence = Evidence.NONE;

  @Test
  void twoViewsTheGraceTimeApartProveTheEnd() {
    look(NOTHING, A);
    assertThat(over()).isEmpty();
    later(GRACE);
    look(NOTHING, A);
    assertThat(over()).containsExactly(A);
  }

  @Test
  void viewsCloserTogetherProveNothing() {
    for (int i = 0; i < 6; i++) {
      look(NOTHING, A);
      assertThat(over()).isEmpty();
      later(GRACE.dividedBy(7));
    }
  }

  @Test
  void whatDockerShowsOnceBeginsAnew() {
    look(NOTHING, A);
    later(GRACE);
    look(new DockerView(Set.of(), Set.of("a"), Set.of()), A);
    later(GRACE);
    look(NOTHING, A);
    assertThat(over()).isEmpty();
  }

  @Test
  void aCallBetweenTheViewsBeginsAnewEvenIfItChangedNothing() {
    look(NOTHING, A);
    later(Duration.ofSeconds(1));
    calls.about("a");
    later(GRACE);
    look(NOTHING, A);
    assertThat(over()).isEmpty();
    later(GRACE);
    look(NOTHING, A);
    assertThat(over()).containsExactly(A);
  }

  @Test
  void aChangedRecordIsAnotherThing() {
    look(NOTHING, endpoint("a", State.CREATED));
    later(GRACE);
    look(NOTHING, A);
    assertThat(over()).isEmpty();
  }

  @Test
  void whatAContainerSaysOfItselfCounts() {
    DockerView view =
        NOTHING.with(
            List.of(
                new Attachment(
                    "net-vlan002",
                    Optional.of("a"),
                    Optional.of(InterfaceAddress.parse("10.2.20.9/24")),
                    Optional.empty()),
                new Attachment(
                    "net-vlan003", Optional.empty(), Optional.empty(), Optional.empty())));
    assertThat(view.knows(A)).isTrue();
    assertThat(view.knows(new Held.OfNetwork(Records.network("vlan002", false)))).isTrue();
    // A stopped container names its network for ever, also one that is gone.
    assertThat(view.knows(new Held.OfNetwork(Records.network("vlan003", false)))).isFalse();
    assertThat(view.addresses()).containsExactly(IpAddress.parse("10.2.20.9"));
  }

  /** The law: whatever the views, neither what the last one shows nor what was touched is over. */
  @RepeatedTest(200)
  void nothingIsOverThatIsShownOrWasTouchedWithinTheGraceTime(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    List<String> ids = List.of("a", "b", "c", "d");
    Map<String, Duration> touched = new HashMap<>();
    Map<String, State> states = new HashMap<>();
    ids.forEach(id -> states.put(id, State.CREATED));
    for (int step = 0; step < 100; step++) {
      later(Duration.ofSeconds(random.nextInt(40)));
      String id = ids.get(random.nextInt(ids.size()));
      switch (random.nextInt(4)) {
        case 0 -> {
          calls.about(id);
          touched.put(id, now);
        }
        case 1 -> {
          states.put(id, LIFE.get(random.nextInt(LIFE.size())));
          calls.about(id);
          touched.put(id, now);
        }
        case 2 -> evidence = Evidence.NONE;
        default -> {
          Set<String> shown = Set.copyOf(ids.subList(0, random.nextInt(ids.size() + 1)));
          List<Held> held = new ArrayList<>();
          states.forEach((i, state) -> held.add(endpoint(i, state)));
          look(new DockerView(Set.of(), shown, Set.of()), held.toArray(Held[]::new));
          for (Held one : over()) {
            assertThat(shown).doesNotContain(one.id());
            assertThat(now.minus(touched.getOrDefault(one.id(), Duration.ZERO)))
                .isGreaterThanOrEqualTo(GRACE);
          }
        }
      }
    }
  }

  private void look(DockerView view, Held... held) {
    evidence = evidence.and(view, List.of(held), now, calls);
  }

  private List<Held> over() {
    return evidence.over(now, GRACE);
  }

  private void later(Duration time) {
    now = now.plus(time);
  }

  private static Held endpoint(String id, State state) {
    return new Held.OfEndpoint(Records.endpoint(id, "vlan002", state));
  }
}
