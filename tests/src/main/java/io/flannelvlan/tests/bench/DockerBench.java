package io.flannelvlan.tests.bench;

import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import java.util.List;

/** The commands that a user waits for, beside the same ones with Docker's bridge driver. */
record DockerBench(Host host) {
  static final String OURS = "bench-ours";
  private static final String PEER = "bench-peer";

  List<Line> run() {
    host.docker(Networks.create(OURS, 201));
    host.docker("network", "create", PEER);
    host.run("bench", "bridge");
    List<Line> lines = List.of(connect(), dockerRun(), create());
    host.container("bench").remove();
    host.docker("network", "rm", OURS, PEER);
    return lines;
  }

  private Line connect() {
    return Line.ratio(
        "connect + disconnect of a running container",
        Rounds.inTurns(() -> connectTo(OURS), () -> connectTo(PEER)),
        "bridge",
        Line.Bound.atMost(0.7));
  }

  private void connectTo(String network) {
    host.docker("network", "connect", network, "bench");
    host.docker("network", "disconnect", network, "bench");
  }

  private Line dockerRun() {
    return Line.ratio(
        "docker run --rm",
        Rounds.inTurns(() -> runIn(OURS), () -> runIn(PEER)),
        "bridge",
        Line.Bound.atMost(0.95));
  }

  private void runIn(String network) {
    host.docker("run", "--rm", "--network", network, Lab.IMAGE, "true");
  }

  private Line create() {
    return Line.ratio(
        "network create + rm",
        Rounds.inTurns(
            () -> createAndRemove(Networks.create("bench-made", 202)),
            () -> createAndRemove("network", "create", "bench-made")),
        "bridge",
        Line.Bound.atMost(0.5));
  }

  private void createAndRemove(String... create) {
    host.docker(create);
    host.docker("network", "rm", "bench-made");
  }
}
