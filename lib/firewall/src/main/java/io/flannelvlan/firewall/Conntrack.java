package io.flannelvlan.firewall;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The kernel's memory of UDP flows. A client that keeps sending from one port keeps its flow, and
 * with it the translation of the flow's first packet: to a container that is gone, or none although
 * the port has been published since. Such flows must be forgotten when a port is published or
 * withdrawn; TCP and SCTP end theirs by themselves. A flow that leads where it should is left
 * alone: made anew by its container's next packet, it would come from another port.
 *
 * <p>By the program {@code conntrack}, in the network namespace of the calling thread; blocking. It
 * costs one process, and one more for each way that leads wrong, however many flows there are.
 */
public final class Conntrack {

  private static final Program CONNTRACK = new Program("conntrack", "conntrack");

  /** The flow as its sender means it, and what answers: {@code src= dst= sport= dport=} twice. */
  private static final Pattern FLOW =
      Pattern.compile(
          "src=\\S+ dst=(\\S+) sport=\\d+ dport=(\\d+) .*?src=(\\S+) dst=\\S+ sport=(\\d+) .*");

  /** Flows to one port of one of the host's addresses, and what answers them. */
  private record Way(String address, int port, String answerer, int answererPort) {

    static Optional<Way> of(String line) {
      Matcher flow = FLOW.matcher(line);
      return flow.find()
          ? Optional.of(
              new Way(
                  flow.group(1),
                  Integer.parseInt(flow.group(2)),
                  flow.group(3),
                  Integer.parseInt(flow.group(4))))
          : Optional.empty();
    }

    boolean isTo(PublishedPort published) {
      return published.hostPort() == port
          && published.hostAddress().map(a -> a.toString().equals(address)).orElse(true);
    }

    boolean leadsTo(PublishedPort published) {
      return published.containerAddress().toString().equals(answerer)
          && published.containerPort() == answererPort;
    }
  }

  /** Whether it can work here. Without the program a client must be silent for 30 to 120 s. */
  public boolean isInstalled() {
    return CONNTRACK.isInstalled();
  }

  /**
   * Forgets the flows that do not lead where they should; the next packet of each is judged anew.
   * To be called when the rules are in force; nothing to do for other protocols than UDP.
   *
   * @param published flows to these lead to their containers
   * @param withdrawn flows to these lead there no more
   * @return the number of wrong ways that were forgotten, each with all its flows
   */
  public int forget(Collection<PublishedPort> published, Collection<PublishedPort> withdrawn) {
    List<PublishedPort> there = udp(published);
    List<PublishedPort> gone = udp(withdrawn);
    if (there.isEmpty() && gone.isEmpty()) {
      return 0;
    }
    Set<String> local = local();
    Set<Way> wrong =
        ways(there, gone).stream()
            .filter(way -> local.contains(way.address()))
            .filter(way ->
                there.stream().anyMatch(port -> way.isTo(port) && !way.leadsTo(port))
                    || gone.stream().anyMatch(port -> way.isTo(port) && way.leadsTo(port)))
            .collect(Collectors.toSet());
    wrong.forEach(Conntrack::delete);
    return wrong.size();
  }

  private static List<PublishedPort> udp(Collection<PublishedPort> ports) {
    return ports.stream().filter(port -> port.protocol() == Protocol.UDP).toList();
  }

  /** The flows to these ports of any machine. A busy host has very many: none of them is kept. */
  private static Set<Way> ways(List<PublishedPort> there, List<PublishedPort> gone) {
    Set<Integer> ports =
        Stream.concat(there.stream(), gone.stream())
            .map(PublishedPort::hostPort)
            .collect(Collectors.toSet());
    List<String> arguments = new ArrayList<>(List.of("-L", "-p", "udp"));
    if (ports.size() == 1) {
      arguments.addAll(List.of("--orig-port-dst", ports.iterator().next().toString()));
    }
    Set<Way> ways = new HashSet<>();
    run(
        line -> {
          Optional<Way> way = Way.of(line);
          way.filter(flow -> ports.contains(flow.port())).ifPresent(ways::add);
          return way.isEmpty();
        },
        arguments.toArray(String[]::new));
    return ways;
  }

  private static void delete(Way way) {
    run(
        line -> Way.of(line).isEmpty(),
        "-D",
        "-p",
        "udp",
        "-d",
        way.address(),
        "--orig-port-dst",
        Integer.toString(way.port()),
        "--reply-src",
        way.answerer(),
        "--reply-port-src",
        Integer.toString(way.answererPort()));
  }

  /** A flow that ended in the meantime is what was wanted, and an exit code of 1. */
  private static void run(Predicate<String> words, String... arguments) {
    Program.Output output = CONNTRACK.runAndKeep(words, arguments);
    if (output.failed() && !output.text().contains("0 flow entries")) {
      throw new FirewallException(
          "conntrack " + String.join(" ", arguments) + ": " + output.text().strip());
    }
  }

  private static Set<String> local() {
    try {
      return NetworkInterface.networkInterfaces()
          .flatMap(NetworkInterface::inetAddresses)
          .map(InetAddress::getHostAddress)
          .collect(Collectors.toSet());
    } catch (SocketException failure) {
      throw new FirewallException("list the host's addresses: " + failure.getMessage(), failure);
    }
  }
}
