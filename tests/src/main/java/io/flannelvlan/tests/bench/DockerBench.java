package io.flannelvlan.tests.bench;

import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** The commands that a user waits for, beside the same ones with Docker's bridge driver. */
record DockerBench(Host host) {
  static final String OURS = "bench-ours";
  private static final String PEER = "bench-peer";

  /** The end of the log's line about a call. */
  private static final Pattern CALL = Pattern.compile("(?m) in ([0-9.]+) ms$");

  List<Line> run() {
    host.docker(Networks.create(OURS, 201));
    host.docker("network", "create", PEER);
    host.run("bench", "bridge");
    List<Line> lines = new ArrayList<>(connect());
    lines.add(dockerRun());
    lines.add(create());
    host.container("bench").remove();
    host.docker("network", "rm", OURS, PEER);
    return lines;
  }

  private List<Line> connect() {
    double before = pluginMillis();
    Rounds.Pair pair = Rounds.inTurns(() -> connectTo(OURS), () -> connectTo(PEER));
    double share = (pluginMillis() - before) / Rounds.ALL;
    double peers = pair.peers().median();
    double rest = pair.ours().median() - share;
    Line.Bound bound = Line.Bound.atMost(0.7);
    return List.of(
        Line.ratio("connect + disconnect of a running container", pair, "bridge", bound),
        new Line(
            "the same, had the plugin taken no time",
            "%.0f ms".formatted(rest),
            "bridge %.0f ms".formatted(peers),
            rest / peers,
            bound));
  }

  /** How long dockerd has waited for the plugin so far, as the plugin logs it. */
  private double pluginMillis() {
    return CALL.matcher(host.plugin().log())
        .results()
        .mapToDouble(call -> Double.parseDouble(call.group(1)))
        .sum();
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
