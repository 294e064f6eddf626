package io.flannelvlan.tests.bench;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.ManagedPlugin;
import io.flannelvlan.tests.lab.Registry;
import io.flannelvlan.tests.lab.Result;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Two hosts with Docker and nothing else, until their containers talk: by our managed plugin with
 * the etcd that it carries, and by Docker's own overlay in swarm mode.
 */
final class SwarmBench {

  static final String HEAD =
      """
      | two hosts with Docker 28.5 alone | flannelvlan | overlay, swarm mode |
      | --- | --- | --- |\
      """;

  private static final int ROUNDS = 10;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** What was measured of one of the two. */
  private record Side(
      int commands, double seconds, double megabytes, double run, double gigabits, String alone) {}

  List<String> run() {
    Side ours = inALab(SwarmBench::ours);
    Side swarms = inALab(SwarmBench::swarms);
    return List.of(
        row("to be downloaded, MB", "%.0f".formatted(ManagedPlugin.compressedBytes() / 1e6), "0"),
        row("commands until two containers talk", ours.commands(), swarms.commands()),
        row("they take, s", "%.1f", ours.seconds(), swarms.seconds()),
        row("memory more on the first host, MB", "%.0f", ours.megabytes(), swarms.megabytes()),
        row("docker run --rm, ms", "%.0f", ours.run(), swarms.run()),
        row("TCP between the hosts, Gbit/s", "%.1f", ours.gigabits(), swarms.gigabits()),
        row("a new container while the first host is down", ours.alone(), swarms.alone()));
  }

  private static String row(String what, String format, double ours, double swarms) {
    return row(what, format.formatted(ours), format.formatted(swarms));
  }

  private static String row(String what, Object ours, Object swarms) {
    return "| %s | %s | %s |".formatted(what, ours, swarms);
  }

  private interface Work {
    Side of(Lab lab, Host first, Host second);
  }

  private static Side inALab(Work work) {
    try (Lab lab = Lab.start()) {
      Host first = lab.host(Engine.DOCKER_28, Registry.DOCKERD_OPTION);
      Host second = lab.host(Engine.DOCKER_28, Registry.DOCKERD_OPTION);
      return work.of(lab, first, second);
    }
  }

  private static Side ours(Lab lab, Host first, Host second) {
    String reference = lab.registry().reference("flannelvlan/flannelvlan:latest");
    new ManagedPlugin(first).publish(reference, "compared");
    long before = first.dockerd().residentKib();
    Timed timed = new Timed();
    ManagedPlugin plugin = new ManagedPlugin(first);
    timed.command(() -> plugin.tryInstall(reference));
    timed.command(() -> first.tryDocker(Networks.create("net", 2)));
    String join = first.withEnginesTools("cat", "/srv/flannelvlan/join").orThrow().text();
    timed.command(() -> new ManagedPlugin(second).tryInstall(reference, "JOIN=" + join));
    timed.waiting(() ->
        Await.until(
            PATIENCE,
            () -> "no network",
            () -> second.tryDocker("network", "inspect", "net").ok()));
    return measured(
        timed,
        first,
        second,
        () -> first.dockerd().residentKib() - before + ManagedPlugin.residentKibWithEtcd());
  }

  private static Side swarms(Lab lab, Host first, Host second) {
    long before = first.dockerd().residentKib();
    Timed timed = new Timed();
    timed.command(() -> first.tryDocker("swarm", "init", "--advertise-addr", first.address()));
    String token = first.docker("swarm", "join-token", "--quiet", "worker").text();
    timed.command(
        () -> second.tryDocker("swarm", "join", "--token", token, first.address() + ":2377"));
    timed.command(() ->
        first.tryDocker(
            "network",
            "create",
            "-d",
            "overlay",
            "--attachable",
            "--subnet",
            "10.2.0.0/16",
            "net"));
    return measured(timed, first, second, () -> first.dockerd().residentKib() - before);
  }

  private static Side measured(Timed timed, Host first, Host second, Supplier<Long> kib) {
    timed.container(first);
    timed.container(second);
    Container from = first.container("box");
    Container to = second.container("box");
    if (!from.reaches(to.address())) {
      throw new IllegalStateException("no way from " + from.address() + " to " + to.address());
    }
    to.in("iperf3", "--server", "--daemon").orThrow();
    double gigabits =
        new Rounds(
                IntStream.range(0, ROUNDS)
                    .mapToObj(_ -> TcpBench.gigabits(from, to.address()))
                    .toList())
            .median();
    double run =
        new Rounds(
                IntStream.range(0, ROUNDS)
                    .mapToObj(_ ->
                        Rounds.time(() ->
                            second.docker("run", "--rm", "--network", "net", Lab.IMAGE, "true")))
                    .toList())
            .median();
    double megabytes = kib.get() / 1024.0;
    first.powerOff();
    Result alone = second.tryDocker("run", "--rm", "--network", "net", Lab.IMAGE, "true");
    return new Side(
        timed.commands, timed.seconds, megabytes, run, gigabits, alone.ok() ? "starts" : "fails");
  }

  /** The commands of a user, each of which must succeed. */
  private static final class Timed {
    private int commands;
    private double seconds;

    void command(Supplier<Result> command) {
      commands++;
      seconds += Rounds.time(() -> command.get().orThrow()) / 1000;
    }

    /** What a user waits for between two of them. */
    void waiting(Runnable wait) {
      seconds += Rounds.time(wait) / 1000;
    }

    void container(Host host) {
      commands++;
      seconds += Rounds.time(() -> host.run("box", "net")) / 1000;
    }
  }
}
