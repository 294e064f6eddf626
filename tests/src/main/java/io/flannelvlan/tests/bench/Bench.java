package io.flannelvlan.tests.bench;

import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Prints the table. It measures and does not judge: a missed goal is marked, the exit status is 0.
 */
public final class Bench {
  private static final int VLANS = 10;
  private static final double MOST_MEGABYTES = 130;

  private Bench() {}

  public static void main(String[] arguments) throws IOException {
    Locale.setDefault(Locale.ROOT);
    try (Lab lab = Lab.start()) {
      List<Host> hosts = lab.hosts(Engine.DOCKER_28, Engine.DOCKER_28);
      for (Host host : hosts) {
        host.setting("LOG_LEVEL", "info").plugin().start();
      }
      Host host = hosts.get(0);
      System.out.println(machine() + ", Docker " + version(host) + "\n");
      System.out.println(Line.HEAD);
      new DockerBench(host).run().forEach(System.out::println);
      System.out.println(new SocketBench(host.pluginSocket()).run());
      System.out.println(memory(host));
      System.out.println(new TcpBench(host, hosts.get(1)).run());
    }
  }

  /** After all the work before, as it is on a host that has been up for a while. */
  private static Line memory(Host host) {
    for (int vni = 101; vni <= 100 + VLANS; vni++) {
      host.docker(Networks.create("bench-" + vni, vni));
    }
    return new Line(
        "memory of the daemon with " + VLANS + " VLANs, MB",
        "RSS",
        "none",
        host.plugin().residentKib() / 1024.0,
        Line.Bound.atMost(MOST_MEGABYTES));
  }

  private static String machine() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      String model =
          lines
              .filter(line -> line.startsWith("model name"))
              .map(line -> line.substring(line.indexOf(':') + 2))
              .findFirst()
              .orElse("unknown processor");
      int cores = Runtime.getRuntime().availableProcessors();
      return cores + " cores of " + model + ", Linux " + System.getProperty("os.version");
    }
  }

  private static String version(Host host) {
    return host.docker("version", "--format", "{{.Server.Version}}").text();
  }
}
