package io.flannelvlan.tests.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What can be said of a walk before anybody walks it. */
class WalkTest {

  @Test
  void seedGivesTheSameStepsAgain() {
    assertThat(steps(7)).isEqualTo(steps(7));
    assertThat(steps(7)).isNotEqualTo(steps(8));
  }

  @Test
  void everyContainerIsRemovedAtMostOnceAndOnlyAfterItWasStarted() {
    List<String> commands = steps(3).stream().flatMap(String::lines).toList();
    List<String> removed = names(commands, ".*docker rm .* (box\\d+)");
    List<String> started = names(commands, ".*docker run --detach --name (box\\d+).*");
    assertThat(removed).doesNotHaveDuplicates();
    assertThat(started).doesNotHaveDuplicates().containsAll(removed);
  }

  @Test
  void commandThatReplaysNamesWhatWasAskedFor() {
    Options options = Options.parse("--without", "kernel,host", "--seed", "12", "--minutes", "4");
    assertThat(options.command())
        .isEqualTo(
            "./dev chaos --seed 12 --minutes 4 --etcd 1 --only plugin,dockerd,etcd,keys,disk,underlay,firewalld");
    assertThat(Options.parse(options.command().substring("./dev chaos ".length()).split(" ", -1)))
        .isEqualTo(options);
  }

  @Test
  void etcdHasOneMemberOrThreeByTheSeedUnlessSomebodySays() {
    assertThat(Options.parse("--seed", "12").etcds()).isEqualTo(1);
    assertThat(Options.parse("--seed", "13").etcds()).isEqualTo(3);
    assertThat(Options.parse("--etcd", "1", "--seed", "13").etcds()).isEqualTo(1);
    assertThatThrownBy(() -> Options.parse("--etcd", "2")).hasMessageContaining("1 member or 3");
  }

  @Test
  void unknownKindIsRefusedNamingTheKnownOnes() {
    assertThatThrownBy(() -> Options.parse("--only", "weather"))
        .hasMessageContaining("weather")
        .hasMessageContaining("etcd")
        .hasMessageContaining("kernel");
  }

  private static List<String> steps(long seed) {
    Model model = new Model();
    for (int host = 0; host < Model.HOSTS; host++) {
      for (String vlan : Model.VLANS) {
        model.create(host, vlan);
      }
    }
    Fault quake =
        new Fault(
            "quake",
            Kind.HOST,
            Effect.RESTART,
            draw -> Fault.Strike.of("of " + draw.between(1, 9), () -> {}).on(1));
    Walk walk = new Walk(new Draw(seed), model, List.of(quake));
    return Stream.generate(() -> walk.next().toString()).limit(300).toList();
  }

  private static List<String> names(List<String> commands, String pattern) {
    return commands.stream()
        .filter(command -> command.matches(pattern))
        .map(command -> command.replaceAll(pattern, "$1"))
        .toList();
  }
}
