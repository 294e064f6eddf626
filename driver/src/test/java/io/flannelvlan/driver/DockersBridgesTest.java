package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.dockerengine.ListedNetwork;
import io.flannelvlan.driver.kernel.KernelLink;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.journal.Journal;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DockersBridgesTest {

  private static final KernelLink DOCKER0 = link("docker0", new KernelLink.Bridge(), "");
  private static final KernelLink MINE = link("mynet0", new KernelLink.Bridge(), "");
  private static final KernelLink CONTAINER =
      link("veth1234567", new KernelLink.Veth(/* peerAway= */ true), "mynet0");

  private final AtomicInteger changes = new AtomicInteger();
  private final AtomicInteger appearances = new AtomicInteger();

  @TempDir Path state;

  @Test
  void oneThatItsUserNamedIsKnownByDockersListAndThroughARestart() {
    try (Journal journal = Journal.open(state)) {
      DockersBridges bridges = bridges(journal);
      assertThat(bridges.among(links(DOCKER0, MINE, CONTAINER))).containsExactly("docker0");
      bridges.listed(
          List.of(
              network("bridge", "docker0"),
              network("bridge", "mynet0"),
              network("flannelvlan", "br-tun1")),
          () -> true);
      assertThat(changes).hasValue(1);
      assertThat(bridges.among(links(DOCKER0, MINE, CONTAINER)))
          .containsExactlyInAnyOrder("docker0", "mynet0");
    }
    try (Journal journal = Journal.open(state)) {
      DockersBridges bridges = bridges(journal);
      assertThat(bridges.among(links(DOCKER0, MINE))).contains("mynet0");
      assertThat(bridges.among(links(DOCKER0))).containsExactly("docker0");
      bridges.listed(List.of(network("bridge", "docker0")), () -> true);
      assertThat(bridges.among(links(DOCKER0, MINE))).containsExactly("docker0");
    }
  }

  @Test
  void aBridgeThatLeadsElsewhereIsTheUsersWayOutWhateverDockerHasOnIt() {
    try (Journal journal = Journal.open(state)) {
      DockersBridges bridges = bridges(journal);
      bridges.listed(List.of(network("bridge", "mynet0")), () -> true);
      KernelLink uplink = link("eth0", new KernelLink.Other(""), "mynet0");
      assertThat(bridges.among(links(MINE, CONTAINER, uplink))).isEmpty();
    }
  }

  @Test
  void dockerIsAskedWhenABridgeAppearsThatMayBeOneOfItsOwn() {
    try (Journal journal = Journal.open(state)) {
      DockersBridges bridges = bridges(journal);
      bridges.among(links(DOCKER0));
      assertThat(appearances).hasValue(0);
      bridges.among(links(DOCKER0, MINE));
      bridges.among(links(DOCKER0, MINE));
      assertThat(appearances).hasValue(1);
      bridges.among(links(DOCKER0));
      bridges.among(links(DOCKER0, MINE));
      assertThat(appearances).hasValue(2);
    }
  }

  @Test
  void dockerIsAskedAgainUntilItKnowsTheBridgeOrItIsTakenForItsUsers() {
    try (Journal journal = Journal.open(state)) {
      DockersBridges bridges = bridges(journal);
      bridges.among(links(DOCKER0));
      assertThat(bridges.isOneUnexplained()).isFalse();
      bridges.among(links(DOCKER0, MINE));
      bridges.listed(List.of(), () -> true);
      assertThat(bridges.isOneUnexplained()).as("dockerd is slow").isTrue();
      bridges.listed(List.of(network("bridge", "mynet0")), () -> true);
      assertThat(bridges.isOneUnexplained()).isFalse();
      bridges.among(links(DOCKER0, MINE, link("virbr0", new KernelLink.Bridge(), "")));
      bridges.takeForOthers();
      bridges.among(links(DOCKER0, MINE, link("virbr0", new KernelLink.Bridge(), "")));
      assertThat(bridges.isOneUnexplained()).isFalse();
    }
  }

  @Test
  void anotherEnginesListTakesNoNameAway() {
    try (Journal journal = Journal.open(state)) {
      DockersBridges bridges = bridges(journal);
      bridges.listed(List.of(network("bridge", "mynet0")), () -> true);
      bridges.listed(List.of(), () -> false);
      assertThat(bridges.among(links(MINE))).containsExactly("mynet0");
      bridges.listed(List.of(network("bridge", "theirs")), () -> false);
      assertThat(bridges.among(links(MINE, link("theirs", new KernelLink.Bridge(), ""))))
          .containsExactlyInAnyOrder("mynet0", "theirs");
    }
  }

  private DockersBridges bridges(Journal journal) {
    return new DockersBridges(journal, changes::incrementAndGet, appearances::incrementAndGet);
  }

  private static ListedNetwork network(String driver, String bridge) {
    Map<String, String> options = Map.of("com.docker.network.bridge.name", bridge);
    return new ListedNetwork(bridge, bridge, driver, false, List.of(), options, Map.of());
  }

  private static KernelLink link(String name, KernelLink.Kind kind, String master) {
    return new KernelLink(
        name,
        kind,
        Optional.empty(),
        1500,
        true,
        Optional.of(master).filter(it -> !it.isEmpty()),
        "");
  }

  private static KernelState links(KernelLink... links) {
    Map<String, KernelLink> byName =
        Stream.of(links).collect(Collectors.toMap(KernelLink::name, link -> link));
    return new KernelState(byName, Set.of(), Set.of(), Set.of(), Set.of(), Set.of());
  }
}
