package io.flannelvlan.firewall;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Published ports from everywhere: who is answered, and which client address the container sees.
 */
class PublishedPortsIT {

  private static final Testbed bed = new Testbed();
  private static final Nft nft = new Nft();

  @BeforeAll
  static void publish() {
    PortCases.publish(bed, nft);
  }

  @AfterAll
  static void close() {
    bed.close();
  }

  @Test
  void tcpIsAnsweredWithTheClientsAddressWherePossible() {
    PortCases.checkTcp(bed);
  }

  /** Where br_netfilter is off, translation happens in the host and not in the bridge. */
  @Test
  void tcpIsAnsweredTheSameWithoutBridgeNetfilter() {
    bed.bridgeNetfilter("h1", false);
    try {
      PortCases.checkTcp(bed);
    } finally {
      bed.bridgeNetfilter("h1", true);
    }
  }

  @Test
  void udpIsAnsweredWithTheClientsAddressWherePossible() {
    PortCases.checkUdp(bed);
  }

  @Test
  void sctpReachesTheContainerFromTheClient() {
    PublishedPort port = PortCases.port(Protocol.SCTP, "0.0.0.0", 8080, Testbed.C1);
    publish(port);
    try (RawSctp server = RawSctp.open(bed.namespace("c1"));
        RawSctp client = RawSctp.open(bed.namespace("out"))) {
      client.sendInit(Testbed.H1, port.hostPort());
      assertThat(server.receive())
          .isEqualTo("INIT from " + Testbed.OUT + " to port " + EchoServer.PORT);
    } finally {
      bed.firewall(nft, PortCases.PORTS);
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
    PublishedPort first = PortCases.port(Protocol.UDP, "0.0.0.0", 8090, Testbed.C1);
    PublishedPort moved = PortCases.port(Protocol.UDP, "0.0.0.0", 8090, "10.2.20.99");
    try (DatagramSocket client = bed.namespace("out").in(() -> new DatagramSocket());
        PortHold _ =
            bed.namespace("h1").in(() -> new HostPorts().hold(PortRequest.exactly(first)))) {
      InetSocketAddress server =
          new InetSocketAddress(InetAddress.ofLiteral(Testbed.H1), first.hostPort());
      assertThat(Client.ask(client, server)).isEqualTo(PortCases.NOBODY);
      publish(first);
      assertThat(Client.ask(client, server))
          .as("the flow is remembered")
          .isEqualTo(PortCases.NOBODY);
      assertThat(bed.namespace("h1").in(() -> conntrack.forget(List.of(first), List.of())))
          .isEqualTo(1);
      assertThat(Client.ask(client, server)).isEqualTo(Testbed.OUT);
      assertThat(bed.namespace("h1").in(() -> conntrack.forget(List.of(first), List.of())))
          .as("one that leads where it should is left alone")
          .isZero();
      publish(moved);
      assertThat(Client.ask(client, server)).as("remembered again").isEqualTo(Testbed.OUT);
      assertThat(bed.namespace("h1").in(() -> conntrack.forget(List.of(moved), List.of())))
          .isEqualTo(1);
      assertThat(Client.ask(client, server)).isEqualTo(PortCases.NOBODY);
      assertThat(
              bed.namespace("h1")
                  .in(() -> conntrack.forget(List.of(PortCases.ANYWHERE), List.of(moved))))
          .as("of the one that is withdrawn")
          .isEqualTo(1);
    } finally {
      bed.firewall(nft, PortCases.PORTS);
    }
  }

  private static void publish(PublishedPort more) {
    List<PublishedPort> ports = new ArrayList<>(List.of(PortCases.PORTS));
    ports.add(more);
    bed.firewall(nft, ports.toArray(new PublishedPort[0]));
  }
}
