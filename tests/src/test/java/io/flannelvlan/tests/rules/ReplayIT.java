package io.flannelvlan.tests.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LogsOnFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What real engines said to another plugin, in their order, said to this one. */
@ExtendWith(LogsOnFailure.class)
final class ReplayIT {
  private static final Path RECORDED =
      Path.of("../lib/docker-plugin/src/test/resources/dockerd-calls");

  private static Site site;

  @BeforeAll
  static void boot() {
    site = new Site(Engine.DOCKER_28);
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"docker-20.10.24", "docker-26.1.5", "docker-28.5.2"})
  void everyCallIsAcceptedOrRefusedByDesignAndNothingRemains(String engine) throws IOException {
    Host host = site.host(1);
    Replay replay = new Replay(host);
    for (String line : Files.readAllLines(RECORDED.resolve(engine + ".jsonl"))) {
      replay.play(line);
    }
    assertThat(replay.accepted()).isGreaterThan(50);
    assertThat(replay.refusals())
        .anySatisfy(refusal -> assertThat(refusal).contains("IPv4 only: leave out --ipv6"))
        .anySatisfy(refusal -> assertThat(refusal).contains("--ipam-driver flannelvlan"));
    site.nothingRemains(host);
    site.clear();
  }
}
