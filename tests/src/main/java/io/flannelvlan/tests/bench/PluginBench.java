package io.flannelvlan.tests.bench;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.ManagedPlugin;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** What the managed plugin costs, on a host that has nothing else of ours. */
record PluginBench(Host host) {
  private static final int ROUNDS = 5;
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration SETTLED = Duration.ofSeconds(25);

  List<Line> run() {
    ManagedPlugin plugin = new ManagedPlugin(host);
    plugin.create();
    // The first start makes keys; every other one finds them.
    plugin.docker("enable");
    List<Double> enabled = new ArrayList<>();
    List<Double> answered = new ArrayList<>();
    for (int round = 0; round < ROUNDS; round++) {
      plugin.docker("disable", "--force");
      CompletableFuture<Double> first =
          CompletableFuture.supplyAsync(this::firstAnswer, Thread::startVirtualThread);
      long start = System.nanoTime();
      plugin.docker("enable");
      enabled.add((System.nanoTime() - start) / 1e6);
      answered.add(first.join());
    }
    host.docker(Networks.create("bench-201", 201));
    // What the start alone needed is given back to the kernel every ten seconds.
    Await.until(
        PATIENCE.plus(SETTLED),
        () -> "the plugin has run for " + ManagedPlugin.uptime(),
        () -> ManagedPlugin.uptime().compareTo(SETTLED) > 0);
    double resident = ManagedPlugin.residentKib() / 1024.0;
    host.docker("network", "rm", "bench-201");
    plugin.docker("disable", "--force");
    plugin.docker("rm");
    return List.of(
        line("managed plugin, compressed, MB", ManagedPlugin.compressedBytes() / 1e6, 75),
        line("docker plugin enable, ms", new Rounds(enabled).median(), 1000),
        line("its first answer after its start, ms", new Rounds(answered).median(), 350),
        line("its memory with one VLAN, without etcd, MB", resident, 110));
  }

  private static Line line(String what, double figure, double most) {
    return new Line(what, "median", "none", figure, Line.Bound.atMost(most));
  }

  private double firstAnswer() {
    Await.closely(PATIENCE, () -> "the plugin does not answer", this::isAnswered);
    Duration answered = ManagedPlugin.sinceBoot();
    return answered.minus(ManagedPlugin.began()).toMillis();
  }

  private boolean isAnswered() {
    try (PluginSocket socket = new PluginSocket(host.pluginSocket())) {
      socket.call("Plugin.Activate", "{}");
      return true;
    } catch (UncheckedIOException _) {
      return false;
    }
  }
}
