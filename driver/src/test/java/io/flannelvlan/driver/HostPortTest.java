package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.dockerplugin.PortBinding;
import io.flannelvlan.firewall.Protocol;
import io.flannelvlan.net.IpAddress;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostPortTest {

  @ParameterizedTest
  @CsvSource({
    // held: protocol, address, port, container port; asked: the same as a range; fulfilled?
    "TCP, '',          8080, 80, TCP, '',          8080, 8080, 80, true",
    "TCP, '',          8080, 80, TCP, 0.0.0.0,     8080, 8080, 80, true",
    "TCP, '',          8081, 80, TCP, '',          8080, 8090, 80, true",
    "TCP, '',          32768, 80, TCP, '',         0,    0,    80, true",
    "TCP, 127.0.0.1,   8080, 80, TCP, 127.0.0.1,   8080, 8080, 80, true",
    "UDP, '',          8080, 80, TCP, '',          8080, 8080, 80, false",
    "TCP, '',          8091, 80, TCP, '',          8080, 8090, 80, false",
    "TCP, '',          8080, 81, TCP, '',          8080, 8080, 80, false",
    "TCP, '',          8080, 80, TCP, 127.0.0.1,   8080, 8080, 80, false",
    "TCP, 127.0.0.1,   8080, 80, TCP, '',          8080, 8080, 80, false",
  })
  void fulfils(
      Protocol protocol,
      String ip,
      int port,
      int containerPort,
      io.flannelvlan.dockerplugin.Protocol asked,
      String askedIp,
      int from,
      int to,
      int askedPort,
      boolean fulfilled) {
    HostPort held = new HostPort(protocol, address(ip), port, containerPort);
    PortBinding binding = new PortBinding(asked, askedPort, address(askedIp), from, to);
    assertThat(held.fulfils(binding)).isEqualTo(fulfilled);
  }

  private static Optional<IpAddress> address(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(IpAddress.parse(text));
  }
}
