package io.flannelvlan.firewall;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.net.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.FutureTask;

/** Published ports of a {@link Testbed}, and what asking them is answered. */
final class PortCases {

  private static final String SECOND = "198.51.100.13";
  static final String NOBODY = Client.NOTHING;

  static final PublishedPort ANYWHERE = port(Protocol.TCP, "0.0.0.0", 8080, Testbed.C1);
  private static final PublishedPort ANYWHERE_UDP = port(Protocol.UDP, "0.0.0.0", 8080, Testbed.C1);
  private static final PublishedPort AT_ONE = port(Protocol.TCP, Testbed.H1, 8082, Testbed.C2);
  private static final PublishedPort AT_ONE_UDP = port(Protocol.UDP, Testbed.H1, 8082, Testbed.C2);
  private static final PublishedPort AT_HOME = port(Protocol.TCP, "127.0.0.1", 8083, Testbed.C2);
  private static final PublishedPort INTERNAL = port(Protocol.TCP, "0.0.0.0", 8084, "10.3.20.5");
  private static final PublishedPort VLAN_ONE = port(Protocol.TCP, "0.0.0.0", 8085, "10.1.20.5");
  static final PublishedPort[] PORTS = {
    ANYWHERE, ANYWHERE_UDP, AT_ONE, AT_ONE_UDP, AT_HOME, INTERNAL, VLAN_ONE
  };

  /** Who asks which address and port, and what the container answers that it saw. */
  private record Case(String from, String address, int port, String seen) {}

  private static final List<Case> BOTH =
      List.of(
          new Case("out", Testbed.H1, 8080, Testbed.OUT),
          new Case("out", SECOND, 8080, Testbed.OUT),
          new Case("h2", Testbed.H1, 8080, Testbed.H2),
          new Case("h1", Testbed.H1, 8080, Testbed.H1),
          new Case("h1", "127.0.0.1", 8080, "10.2.20.1"),
          new Case("h1", "10.2.20.1", 8080, "10.2.20.1"),
          new Case("h1", "10.2.20.0", 8080, "10.2.20.1"),
          new Case("c2", Testbed.H1, 8080, "10.2.20.1"),
          new Case("c1", Testbed.H1, 8080, "10.2.20.1"),
          new Case("c1", "10.2.20.1", 8080, "10.2.20.1"),
          new Case("d", Testbed.H1, 8080, Testbed.H2),
          new Case("a1", Testbed.H1, 8080, "10.2.20.1"),
          new Case("k", Testbed.H1, 8080, "172.17.0.5"),
          new Case("a1", "10.2.20.1", 8080, NOBODY),
          new Case("i1", Testbed.H1, 8080, NOBODY),
          new Case("rogue", "10.2.20.5", 8080, NOBODY),
          new Case("out", Testbed.H1, 8082, Testbed.OUT),
          new Case("c1", Testbed.H1, 8082, "10.2.20.1"),
          new Case("out", SECOND, 8082, NOBODY),
          new Case("h1", "127.0.0.1", 8082, NOBODY));

  private static final List<Case> TCP =
      List.of(
          new Case("h1", "127.0.0.1", 8083, "10.2.20.1"),
          new Case("out", Testbed.H1, 8083, NOBODY),
          new Case("h1", Testbed.H1, 8083, NOBODY),
          new Case("out", Testbed.H1, 8084, NOBODY),
          new Case("h1", Testbed.H1, 8084, NOBODY),
          new Case("out", Testbed.H1, 8085, Testbed.OUT),
          new Case("a1", Testbed.H1, 8085, "10.1.20.1"),
          new Case("c1", Testbed.H1, 8085, "10.1.20.1"));

  private PortCases() {}

  /** The ports are held too, so that every answer also shows that a hold takes no packets. */
  static void publish(Testbed bed, Nft nft) {
    bed.ip("h1", "addr add " + SECOND + "/24 dev eth0");
    bed.firewall(nft, PORTS);
    bed.namespace("h1").in(PortCases::holdAll);
  }

  private static HostPorts holdAll() {
    HostPorts ports = new HostPorts();
    for (PublishedPort port : PORTS) {
      assertThat(ports.hold(PortRequest.exactly(port)).port()).isEqualTo(port.hostPort());
    }
    return ports;
  }

  static void checkTcp(Testbed bed) {
    List<Case> cases = new ArrayList<>(BOTH);
    cases.addAll(TCP);
    assertThat(
            outcomes(
                cases,
                cases.stream()
                    .map(c -> Client.tcp(bed.namespace(c.from), c.address, c.port))
                    .toList()))
        .isEqualTo(cases);
  }

  static void checkUdp(Testbed bed) {
    assertThat(
            outcomes(
                BOTH,
                BOTH.stream()
                    .map(c -> Client.udp(bed.namespace(c.from), c.address, c.port))
                    .toList()))
        .isEqualTo(BOTH);
  }

  private static List<Case> outcomes(List<Case> cases, List<FutureTask<String>> answers) {
    List<Case> outcomes = new ArrayList<>();
    for (int i = 0; i < cases.size(); i++) {
      Case asked = cases.get(i);
      outcomes.add(new Case(asked.from, asked.address, asked.port, Netns.result(answers.get(i))));
    }
    return outcomes;
  }

  static PublishedPort port(Protocol protocol, String host, int port, String container) {
    return new PublishedPort(
        protocol,
        Optional.of(IpAddress.parse(host)),
        port,
        IpAddress.parse(container),
        EchoServer.PORT,
        "vlan00" + container.charAt(3));
  }
}
