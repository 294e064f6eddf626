package io.flannelvlan.tests.bench;

import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Hardware;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Prints the table. It measures and does not judge: a missed goal is marked, the exit status is 0.
 */
public final class Bench {
  private static final int VLANS = 10;
  private static final double MOST_MEGABYTES = 130;

  private Bench() {}

  /**
   * Measures all of it.
   *
   * @param arguments {@code --only}, and which parts with commas between, for a part alone
   */
  public static void main(String[] arguments) throws IOException {
    Locale.setDefault(Locale.ROOT);
    Set<Part> parts = parts(arguments);
    for (Part part : Part.values()) {
      if (parts.contains(part)) {
        run(part);
      }
    }
  }

  /** What can be measured alone. */
  private enum Part {
    ENGINE,
    PLUGIN,
    CNI,
    SWARM
  }

  private static Set<Part> parts(String[] arguments) {
    if (arguments.length == 0) {
      return EnumSet.allOf(Part.class);
    }
    if (arguments.length != 2 || !arguments[0].equals("--only")) {
      throw new IllegalArgumentException("usage: ./dev bench [--only engine,plugin,cni,swarm]");
    }
    return Arrays.stream(arguments[1].split(",", -1))
        .map(word -> Part.valueOf(word.toUpperCase(Locale.ROOT)))
        .collect(Collectors.toSet());
  }

  private static void run(Part part) throws IOException {
    switch (part) {
      case ENGINE -> engine();
      case PLUGIN -> alone(host -> new PluginBench(host).run());
      case CNI -> alone(host -> new CniBench(host).run());
      case SWARM -> {
        System.out.println("\n" + SwarmBench.HEAD);
        new SwarmBench().run().forEach(System.out::println);
      }
    }
  }

  /** On a host with nothing else of ours. */
  private static void alone(Function<Host, List<Line>> bench) throws IOException {
    try (Lab lab = Lab.start()) {
      Host host = lab.host(Engine.DOCKER_28);
      head(host);
      bench.apply(host).forEach(System.out::println);
    }
  }

  private static void engine() throws IOException {
    try (Lab lab = Lab.start()) {
      List<Host> hosts = lab.hosts(Engine.DOCKER_28, Engine.DOCKER_28);
      for (Host host : hosts) {
        host.setting("LOG_LEVEL", "info").plugin().start();
      }
      Host host = hosts.get(0);
      head(host);
      new DockerBench(host).run().forEach(System.out::println);
      System.out.println(new SocketBench(host.pluginSocket()).run());
      List<String> networks = furnish(host);
      System.out.println(memory(host));
      System.out.println(new RestartBench(host, networks).run());
      System.out.println(new TcpBench(host, hosts.get(1)).run());
    }
  }

  private static void head(Host host) throws IOException {
    System.out.println("\n" + Hardware.text() + ", Docker " + version(host) + "\n");
    System.out.println(Line.HEAD);
  }

  private static List<String> furnish(Host host) {
    List<String> networks = new ArrayList<>();
    for (int vni = 101; vni <= 100 + VLANS; vni++) {
      host.docker(Networks.create("bench-" + vni, vni));
      networks.add("bench-" + vni);
    }
    return networks;
  }

  /** After all the work before, as it is on a host that has been up for a while. */
  private static Line memory(Host host) {
    return new Line(
        "memory of the daemon with " + VLANS + " VLANs, MB",
        "RSS",
        "none",
        host.plugin().residentKib() / 1024.0,
        Line.Bound.atMost(MOST_MEGABYTES));
  }

  private static String version(Host host) {
    return host.docker("version", "--format", "{{.Server.Version}}").text();
  }
}
