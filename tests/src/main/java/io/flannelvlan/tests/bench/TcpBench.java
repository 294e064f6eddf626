package io.flannelvlan.tests.bench;

import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Host;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** TCP from a container of one host to one of another: our VLAN, and a VXLAN made by hand. */
record TcpBench(Host here, Host there) {
  private static final int ROUNDS = 10;
  private static final String SECONDS = "2";
  private static final Pattern RECEIVED =
      Pattern.compile("\"sum_received\"\\s*:\\s*\\{[^}]*\"bits_per_second\"\\s*:\\s*([0-9.e+]+)");

  Line run() {
    for (Host host : List.of(here, there)) {
      host.docker(Networks.create("bench-tcp", 204));
    }
    Container from = here.run("from", "bench-tcp");
    Container to = there.run("to", "bench-tcp");
    HandMadeVxlan.connect(from, to);
    to.in("iperf3", "--server", "--daemon").orThrow();

    Rounds.Pair pair =
        Rounds.inTurns(
            ROUNDS,
            () -> gigabits(from, to.address()),
            () -> gigabits(from, HandMadeVxlan.address(to)));
    double mine = pair.ours().median();
    double theirs = pair.peers().median();
    return new Line(
        "TCP between hosts",
        "%.1f Gbit/s".formatted(mine),
        "VXLAN by hand %.1f Gbit/s".formatted(theirs),
        mine / theirs,
        Line.Bound.atLeast(0.97));
  }

  static double gigabits(Container from, String address) {
    from.reaches(address);
    String report =
        from.in("iperf3", "--client", address, "--time", SECONDS, "--json").orThrow().out();
    Matcher matcher = RECEIVED.matcher(report);
    if (!matcher.find()) {
      throw new IllegalStateException("iperf3 says: " + report);
    }
    return Double.parseDouble(matcher.group(1)) / 1e9;
  }
}
