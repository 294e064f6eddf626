package io.flannelvlan.firewall;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.net.IpAddress;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Attacks, each tried without the guard too, so that it is known to work. */
class GuardsIT {

  private static final Testbed bed = new Testbed();
  private final Nft nft = new Nft();

  @BeforeEach
  void firewall() {
    bed.firewall(nft);
  }

  @AfterAll
  static void close() {
    bed.close();
  }

  @Test
  void spoofedSourceReachesNeitherHostNorPeerNorOutside() {
    bed.ip("c1", "addr replace 10.1.20.77/32 dev eth0");
    for (String target : List.of("h1", "d", "out")) {
      assertThat(firstFrom("c1", "10.1.20.77", Testbed.C1, target)).isEqualTo("honest");
    }
    withoutTable();
    assertThat(firstFrom("c1", "10.1.20.77", Testbed.C1, "h1")).isEqualTo("spoofed");
  }

  @Test
  void hostsLoopbackIsNotReachedFromAContainer() {
    try (EchoServer _ = EchoServer.startAt(bed.namespace("h1"), "127.0.0.1", 7777)) {
      routeLoopback("c1", "10.2.20.1");
      assertThat(Netns.result(Client.tcp(bed.namespace("c1"), "127.0.0.1", 7777)))
          .isEqualTo(Client.NOTHING);
      withoutTable();
      assertThat(Netns.result(Client.tcp(bed.namespace("c1"), "127.0.0.1", 7777)))
          .isEqualTo(Testbed.C1);
    }
  }

  @Test
  void portPublishedAtLoopbackIsNotReachedFromTheUnderlay() {
    bed.firewall(
        nft,
        new PublishedPort(
            Protocol.TCP,
            Optional.of(IpAddress.parse("127.0.0.1")),
            8083,
            IpAddress.parse(Testbed.C1),
            EchoServer.PORT,
            "vlan002"));
    routeLoopback("rogue", Testbed.H1);
    assertThat(Netns.result(Client.tcp(bed.namespace("rogue"), "127.0.0.1", 8083)))
        .isEqualTo(Client.NOTHING);
    bed.run("h1", "", "nft", "flush", "chain", "inet", "flannelvlan", "nat_prerouting");
    bed.run(
        "h1", "", "nft", "add", "rule", "inet", "flannelvlan", "nat_prerouting", "jump published");
    assertThat(Netns.result(Client.tcp(bed.namespace("rogue"), "127.0.0.1", 8083)))
        .isEqualTo(Testbed.ROGUE);
  }

  @Test
  void aPeerCannotSpeakForAnotherVlan() {
    try (Sink sink = Sink.open(bed.namespace("c1"))) {
      inject("h2", "10.1.30.5", "spoofed");
      inject("h2", "10.2.30.9", "honest");
      assertThat(sink.next()).isEqualTo("honest");
    }
  }

  @Test
  void aTunnelEndsInItsVlan() {
    try (Sink sink = Sink.open(bed.namespace("h1"))) {
      inject("h2", "10.2.30.9", Testbed.H1, "into the host");
      inject("h2", "10.2.30.9", "10.1.20.1", "into another VLAN");
      inject("h2", "10.2.30.9", "10.2.20.1", "to the gateway");
      assertThat(sink.next()).isEqualTo("to the gateway");
    }
  }

  @Test
  void ipv6IsNotForwarded() {
    bed.sysctl("h1", "ipv6/conf/all/forwarding", "1");
    bed.ip(
        "h1",
        "addr replace fd00:1::1/64 dev fvbr.1 nodad",
        "addr replace fd00:9::11/64 dev eth0 nodad");
    bed.ip(
        "a1",
        "addr replace fd00:1::5/64 dev eth0 nodad",
        "route replace fd00:9::/64 via fd00:1::1");
    bed.ip(
        "out",
        "addr replace fd00:9::21/64 dev eth0 nodad",
        "route replace fd00:1::/64 via fd00:9::11");
    Netns container = bed.namespace("a1");
    assertThat(Netns.result(Client.ping(container, "fd00:1::1"))).isEqualTo("answered");
    assertThat(Netns.result(Client.ping(container, "fd00:9::21"))).isEqualTo(Client.NOTHING);
    withoutTable();
    assertThat(Netns.result(Client.ping(container, "fd00:9::21"))).isEqualTo("answered");
  }

  @Test
  void theOutsideSeesTheHostOrWithoutMasqueradingTheContainer() {
    assertThat(Netns.result(Client.tcp(bed.namespace("c1"), Testbed.ROGUE, EchoServer.PORT)))
        .isEqualTo(Testbed.H1);
    VlanRules vlan = Testbed.vlans().get(1);
    VlanRules plain =
        new VlanRules(
            vlan.name(),
            vlan.vni(),
            vlan.bridge(),
            vlan.vxlan(),
            vlan.range(),
            false,
            false,
            Optional.empty(),
            Optional.empty());
    apply(new FirewallRules(List.of(plain), List.of(), Set.of()));
    assertThat(Netns.result(Client.tcp(bed.namespace("c1"), Testbed.ROGUE, EchoServer.PORT)))
        .isEqualTo(Testbed.C1);
  }

  /** The machine sends packets for 127.0.0.0/8 to a gateway, as no honest one does. */
  private static void routeLoopback(String node, String gateway) {
    bed.sysctl(node, "ipv4/conf/eth0/route_localnet", "1");
    bed.ip(node, "addr flush dev lo", "route replace 127.0.0.0/8 via " + gateway);
  }

  private void withoutTable() {
    bed.namespace("h1").in(nft::remove);
  }

  private void apply(FirewallRules rules) {
    bed.namespace("h1").in(() -> nft.apply(rules));
  }

  private static void inject(String from, String source, String text) {
    inject(from, source, Testbed.C1, text);
  }

  private static void inject(String from, String source, String target, String text) {
    byte[] packet = VxlanPacket.of(2, Testbed.mac(2, 11), source, target, text);
    bed.namespace(from)
        .in(() -> {
          try (DatagramSocket socket = new DatagramSocket()) {
            InetAddress host = InetAddress.ofLiteral(Testbed.H1);
            socket.send(new DatagramPacket(packet, packet.length, host, Testbed.VXLAN_PORT));
            return packet.length;
          }
        });
  }

  private static String firstFrom(String from, String spoofed, String honest, String target) {
    String address =
        Testbed.NODES.stream()
            .filter(node -> node.name().equals(target))
            .findFirst()
            .orElseThrow()
            .address();
    try (Sink sink = Sink.open(bed.namespace(target))) {
      send(from, spoofed, address, "spoofed");
      send(from, honest, address, "honest");
      return sink.next();
    }
  }

  private static void send(String from, String source, String target, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    bed.namespace(from)
        .in(() -> {
          try (DatagramSocket socket = new DatagramSocket(new InetSocketAddress(source, 0))) {
            InetAddress address = InetAddress.ofLiteral(target);
            socket.send(new DatagramPacket(bytes, bytes.length, address, Sink.PORT));
            return bytes.length;
          }
        });
  }
}
