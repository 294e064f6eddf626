package io.flannelvlan.tests.everywhere;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.Leeway;
import io.flannelvlan.tests.lab.LogsOnFailure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The two compose files of the README, on two hosts. */
@ExtendWith(LogsOnFailure.class)
final class ComposeIT {

  private static final Duration SOON = Leeway.over(Duration.ofSeconds(2));

  /** What the README says that a compose file may end with, in its order. */
  private static final List<String> EXAMPLES = examples();

  /** Of a VLAN that is there. */
  private static final String EXTERNAL = EXAMPLES.get(0);

  /** Of one that the file makes. */
  private static final String OF_ITS_OWN = EXAMPLES.get(1);

  private static Lab lab;
  private static List<Host> hosts;

  @BeforeAll
  static void boot() {
    lab = Lab.start();
    hosts = lab.hosts(Engine.DOCKER_28, Engine.DOCKER_28);
    hosts.forEach(host -> host.setting("NETWORKS", "all").plugin().start());
  }

  @AfterAll
  static void takeDown() {
    lab.close();
  }

  @Test
  void aVlanThatIsThereIsUsedAsAnExternalNetwork() {
    hosts
        .getFirst()
        .docker(
            ("network create -d flannelvlan --ipam-driver flannelvlan --subnet 10.2.0.0/16"
                    + " --opt vni=2 vlan002")
                .split(" "));
    awaitNetwork("vlan002");
    assertReachable("front", "vlan002", EXTERNAL);
  }

  @Test
  void oneFileOnBothHostsMakesAVlanOfItsOwnAndTakesItDown() {
    compose(hosts.getFirst(), "shop", "vlan003", OF_ITS_OWN, "up", "--detach");
    awaitNetwork("shop_vlan003");
    assertReachable("shop", "vlan003", OF_ITS_OWN);
    for (Host host : hosts) {
      compose(host, "shop", "vlan003", OF_ITS_OWN, "down");
      assertThat(host.tryDocker("network", "inspect", "shop_vlan003").ok()).isFalse();
    }
  }

  private static List<String> examples() {
    try (Stream<String> lines = Files.lines(Path.of("../README.md"))) {
      List<String> all = lines.filter(line -> line.startsWith("networks: {")).toList();
      assertThat(all).hasSize(2);
      return all;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void awaitNetwork(String name) {
    Await.until(
        SOON,
        () -> name + " is not on host 2",
        () -> hosts.getLast().tryDocker("network", "inspect", name).ok());
  }

  private static void assertReachable(String project, String network, String networks) {
    List<Container> all = new ArrayList<>();
    for (Host host : hosts) {
      compose(host, project, network, networks, "up", "--detach");
      all.add(host.container(project + "-web-1"));
    }
    assertThat(all.getFirst().reaches(all.getLast().address())).isTrue();
    assertThat(all.getLast().reaches(all.getFirst().address())).isTrue();
  }

  private static void compose(
      Host host, String project, String network, String networks, String... words) {
    Path file = host.srv().resolve(project + ".yaml");
    try {
      Files.createDirectories(host.srv());
      Files.writeString(
          file,
          """
          services:
            web:
              image: %s
              networks: [%s]
          %s
          """
              .formatted(Lab.IMAGE, network, networks));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<String> command =
        new ArrayList<>(
            List.of("compose", "--project-name", project, "--file", "/srv/" + file.getFileName()));
    command.addAll(List.of(words));
    host.docker(command.toArray(String[]::new));
  }
}
