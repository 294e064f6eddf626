package io.flannelvlan.firewall;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The kernel's memory of UDP flows. A client that keeps sending from one port keeps its flow, and
 * with it the translation of the flow's first packet: to a container that is gone, or none although
 * the port has been published since. Such flows must be forgotten when a port is published or
 * withdrawn; TCP and SCTP end theirs by themselves.
 *
 * <p>By the program {@code conntrack}, in the network namespace of the calling thread; blocking.
 */
public final class Conntrack {

  private static final Program CONNTRACK = new Program("conntrack", "conntrack");

  /** The line's first four fields are the flow as its sender means it. */
  private static final Pattern FLOW =
      Pattern.compile("src=(\\S+) dst=(\\S+) sport=(\\d+) dport=(\\d+) .*");

  /** Whether it can work here. Without the program a client must be silent for 30 to 120 s. */
  public boolean isInstalled() {
    return CONNTRACK.isInstalled();
  }

  /**
   * Forgets the flows to this published port; the next packet of each is judged anew. To be called
   * when the rules are in force; nothing to do for other protocols than UDP.
   *
   * @return how many were forgotten
   */
  public int forget(PublishedPort port) {
    if (port.protocol() != Protocol.UDP) {
      return 0;
    }
    String hostPort = Integer.toString(port.hostPort());
    String flows = run("-L", "-p", "udp", "--orig-port-dst", hostPort);
    Set<String> hostAddresses =
        port.hostAddress().map(address -> Set.of(address.toString())).orElseGet(Conntrack::local);
    int forgotten = 0;
    for (String line : flows.lines().toList()) {
      Matcher flow = FLOW.matcher(line);
      if (flow.find() && hostAddresses.contains(flow.group(2))) {
        delete(flow);
        forgotten++;
      }
    }
    return forgotten;
  }

  private static void delete(Matcher flow) {
    run(
        "-D",
        "-p",
        "udp",
        "-s",
        flow.group(1),
        "-d",
        flow.group(2),
        "--orig-port-src",
        flow.group(3),
        "--orig-port-dst",
        flow.group(4));
  }

  /** A flow that ended in the meantime is what was wanted, and an exit code of 1. */
  private static String run(String... arguments) {
    Program.Output output = CONNTRACK.run("", arguments);
    if (output.failed() && !output.text().contains("0 flow entries")) {
      throw new FirewallException(
          "conntrack " + String.join(" ", arguments) + ": " + output.text().strip());
    }
    return output.text();
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
