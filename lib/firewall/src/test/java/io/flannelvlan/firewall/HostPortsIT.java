package io.flannelvlan.firewall;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.net.IpAddress;
import java.net.BindException;
import java.net.DatagramSocket;
import java.net.ServerSocket;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Ports are held against the host's programs, against each other, and given back. */
class HostPortsIT {

  private static final Testbed bed = new Testbed();
  private final HostPorts ports = new HostPorts();

  @AfterEach
  void nothingStaysHeld() {
    bed.namespace("out")
        .in(() -> {
          try (ServerSocket tcp = new ServerSocket(8080);
              DatagramSocket udp = new DatagramSocket(8080)) {
            return tcp.isBound() && udp.isBound();
          }
        });
  }

  @AfterAll
  static void close() {
    bed.close();
  }

  @Test
  void aHeldPortIsRefusedToTheHostsPrograms() {
    try (PortHold tcp = hold(request(Protocol.TCP, "0.0.0.0", 8080, 8080));
        PortHold udp = hold(request(Protocol.UDP, Testbed.OUT, 8080, 8080))) {
      assertThat(tcp).hasToString("tcp 0.0.0.0:8080");
      assertThat(udp).hasToString("udp " + Testbed.OUT + ":8080");
      bed.namespace("out")
          .in(() -> {
            assertThatThrownBy(() -> new ServerSocket(8080)).isInstanceOf(BindException.class);
            assertThatThrownBy(() -> new DatagramSocket(8080)).isInstanceOf(BindException.class);
            return true;
          });
    }
  }

  @Test
  void aPortOfTheHostsProgramsIsRefusedByName() throws Exception {
    try (ServerSocket server = bed.namespace("out").in(() -> new ServerSocket(8080))) {
      assertThat(server.isBound()).isTrue();
      assertThatThrownBy(() -> hold(request(Protocol.TCP, Testbed.OUT, 8080, 8080)))
          .isInstanceOf(FirewallException.class)
          .hasMessage(
              "publish at tcp 198.51.100.21:8080: port 8080 is taken by another program of this"
                  + " host: Address already in use");
    }
  }

  @Test
  void anyAddressAndOneAddressCollide() {
    for (Protocol protocol : Protocol.values()) {
      try (PortHold _ = hold(request(protocol, Testbed.OUT, 8080, 8080))) {
        assertThatThrownBy(() -> hold(request(protocol, "0.0.0.0", 8080, 8080)))
            .isInstanceOf(FirewallException.class)
            .hasMessage(
                "publish at %1$s 0.0.0.0:8080: port 8080 is already published (%1$s 198.51.100.21:8080)",
                protocol);
        assertThatCode(() -> hold(request(protocol, "127.0.0.1", 8080, 8080)).close())
            .doesNotThrowAnyException();
      }
    }
  }

  @Test
  void aRangeGivesItsFirstFreePort() throws Exception {
    try (ServerSocket _ = bed.namespace("out").in(() -> new ServerSocket(8080));
        PortHold first = hold(request(Protocol.TCP, "0.0.0.0", 8080, 8082));
        PortHold second = hold(request(Protocol.TCP, "0.0.0.0", 8080, 8082))) {
      assertThat(first.port()).isEqualTo(8081);
      assertThat(second.port()).isEqualTo(8082);
      assertThatThrownBy(() -> hold(request(Protocol.TCP, "0.0.0.0", 8080, 8082)))
          .hasMessage(
              "publish at tcp 0.0.0.0:8080-8082: port 8082 is already published (tcp 0.0.0.0:8082)");
    }
  }

  @Test
  void zeroGivesAPortOfTheKernelsRange() {
    bed.sysctl("out", "ipv4/ip_local_port_range", "40000 40003");
    for (Protocol protocol : Protocol.values()) {
      try (PortHold first = hold(request(protocol, "0.0.0.0", 0, 0));
          PortHold second = hold(request(protocol, "0.0.0.0", 0, 0))) {
        assertThat(first.port()).isBetween(40000, 40003).isNotEqualTo(second.port());
        assertThat(second.port()).isBetween(40000, 40003);
      }
    }
  }

  @Test
  void anAddressThatTheHostHasNotIsNamed() {
    assertThatThrownBy(() -> hold(request(Protocol.UDP, "192.0.2.1", 8080, 8080)))
        .hasMessage(
            "publish at udp 192.0.2.1:8080: 192.0.2.1 is no address of this host: Cannot assign"
                + " requested address");
  }

  private PortHold hold(PortRequest request) {
    return bed.namespace("out").in(() -> ports.hold(request));
  }

  private static PortRequest request(Protocol protocol, String address, int first, int last) {
    return new PortRequest(protocol, Optional.of(IpAddress.parse(address)), first, last);
  }
}
