package io.flannelvlan.firewall;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.net.IpAddress;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Published ports from everywhere: who is answered, and which client address the container sees.
 */
class PublishedPortsIT {

  private static final String SECOND = "198.51.100.13";
  private static final String NOBODY = Client.NOTHING;

  private static final PublishedPort ANYWHERE = port(Protocol.TCP, "0.0.0.0", 8080, Testbed.C1);
  private static final PublishedPort ANYWHERE_UDP = port(Protocol.UDP, "0.0.0.0", 8080, Testbed.C1);
  private static final PublishedPort AT_ONE = port(Protocol.TCP, Testbed.H1, 8082, Testbed.C2);
  private static final PublishedPort AT_ONE_UDP = port(Protocol.UDP, Testbed.H1, 8082, Testbed.C2);
  private static final PublishedPort AT_HOME = port(Protocol.TCP, "127.0.0.1", 8083, Testbed.C2);
  private static final PublishedPort INTERNAL = port(Protocol.TCP, "0.0.0.0", 8084, "10.3.20.5");
  private static final PublishedPort VLAN_ONE = port(Protocol.TCP, "0.0.0.0", 8085, "10.1.20.5");
  private static final PublishedPort[] PORTS = {
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

  private static final Testbed bed = new Testbed();
  private static final Nft nft = new Nft();

  /** The ports are held too, so that every answer also shows that a hold takes no packets. */
  @BeforeAll
  static void publish() {
    bed.ip("h1", "addr add " + SECOND + "/24 dev eth0");
    bed.firewall(nft, PORTS);
    bed.namespace("h1").in(PublishedPortsIT::holdAll);
  }

  private static HostPorts holdAll() {
    HostPorts ports = new HostPorts();
    for (PublishedPort port : PORTS) {
      assertThat(ports.hold(PortRequest.exactly(port)).port()).isEqualTo(port.hostPort());
    }
    return ports;
  }

  @AfterAll
  static void close() {
    bed.close();
  }

  @Test
  void tcpIsAnsweredWithTheClientsAddressWherePossible() {
    checkTcp();
  }

  /** Where br_netfilter is off, translation happens in the host and not in the bridge. */
  @Test
  void tcpIsAnsweredTheSameWithoutBridgeNetfilter() {
    bed.bridgeNetfilter("h1", false);
    try {
      checkTcp();
    } finally {
      bed.bridgeNetfilter("h1", true);
    }
  }

  private static void checkTcp() {
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

  @Test
  void udpIsAnsweredWithTheClientsAddressWherePossible() {
    assertThat(
            outcomes(
                BOTH,
                BOTH.stream()
                    .map(c -> Client.udp(bed.namespace(c.from), c.address, c.port))
                    .toList()))
        .isEqualTo(BOTH);
  }

  @Test
  void sctpReachesTheContainerFromTheClient() {
    PublishedPort port = port(Protocol.SCTP, "0.0.0.0", 8080, Testbed.C1);
    publish(port);
    try (RawSctp server = RawSctp.open(bed.namespace("c1"));
        RawSctp client = RawSctp.open(bed.namespace("out"))) {
      client.sendInit(Testbed.H1, port.hostPort());
      assertThat(server.receive())
          .isEqualTo("INIT from " + Testbed.OUT + " to port " + EchoServer.PORT);
    } finally {
      bed.firewall(nft, PORTS);
    }
  }

  @Test
  void dockersOwnPublishedPortIsReachedFromAVlan() {
    bed.run(
        "h1",
        "*nat\n-A PREROUTING -d %s -p tcp --dport 9090 -j DNAT --to-destination 172.17.0.5:7\nCOMMIT\n"
            .formatted(Testbed.H1),
        "iptables-nft-restore",
        "--noflush");
    assertThat(Netns.result(Client.tcp(bed.namespace("c1"), Testbed.H1, 9090)))
        .as("masqueraded, as between two of Docker's own bridges")
        .isEqualTo("172.17.0.1");
  }

  @Test
  void aTalkingUdpClientFollowsEveryChange() throws Exception {
    Conntrack conntrack = new Conntrack();
    PublishedPort first = port(Protocol.UDP, "0.0.0.0", 8090, Testbed.C1);
    PublishedPort moved = port(Protocol.UDP, "0.0.0.0", 8090, "10.2.20.99");
    try (DatagramSocket client = bed.namespace("out").in(() -> new DatagramSocket());
        PortHold _ =
            bed.namespace("h1").in(() -> new HostPorts().hold(PortRequest.exactly(first)))) {
      InetSocketAddress server =
          new InetSocketAddress(InetAddress.ofLiteral(Testbed.H1), first.hostPort());
      assertThat(Client.ask(client, server)).isEqualTo(NOBODY);
      publish(first);
      assertThat(Client.ask(client, server)).as("the flow is remembered").isEqualTo(NOBODY);
      assertThat(bed.namespace("h1").in(() -> conntrack.forget(first))).isEqualTo(1);
      assertThat(Client.ask(client, server)).isEqualTo(Testbed.OUT);
      publish(moved);
      assertThat(Client.ask(client, server)).as("remembered again").isEqualTo(Testbed.OUT);
      assertThat(bed.namespace("h1").in(() -> conntrack.forget(moved))).isEqualTo(1);
      assertThat(Client.ask(client, server)).isEqualTo(NOBODY);
      assertThat(bed.namespace("h1").in(() -> conntrack.forget(ANYWHERE))).isZero();
    } finally {
      bed.firewall(nft, PORTS);
    }
  }

  private static void publish(PublishedPort more) {
    List<PublishedPort> ports = new ArrayList<>(List.of(PORTS));
    ports.add(more);
    bed.firewall(nft, ports.toArray(new PublishedPort[0]));
  }

  private static List<Case> outcomes(List<Case> cases, List<FutureTask<String>> answers) {
    List<Case> outcomes = new ArrayList<>();
    for (int i = 0; i < cases.size(); i++) {
      Case asked = cases.get(i);
      outcomes.add(new Case(asked.from, asked.address, asked.port, Netns.result(answers.get(i))));
    }
    return outcomes;
  }

  private static PublishedPort port(Protocol protocol, String host, int port, String container) {
    return new PublishedPort(
        protocol,
        Optional.of(IpAddress.parse(host)),
        port,
        IpAddress.parse(container),
        EchoServer.PORT,
        "vlan00" + container.charAt(3));
  }
}
