package io.flannelvlan.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LegacyFilterTableIT {
  private final TestingNamespace namespace = new TestingNamespace();
  private final Namespace visited = Namespace.open(namespace.path());

  @AfterEach
  void close() {
    visited.close();
    namespace.close();
  }

  @Test
  void itIsAnotherOnceARuleWasAddedRemovedOrReplaced() {
    namespace.run("iptables-legacy -N OURS");
    Optional<LegacyFilterTable> empty = table();
    assertThat(empty).isPresent();
    assertThat(table()).isEqualTo(empty);
    namespace.run("iptables-legacy -A OURS -i fvbr.+ -j ACCEPT");
    Optional<LegacyFilterTable> filled = table();
    assertThat(filled).isPresent().isNotEqualTo(empty);
    namespace.run("iptables-legacy -R OURS 1 -i fvbr.+ -j DROP");
    assertThat(table()).isPresent().isNotEqualTo(filled);
    namespace.run("iptables-legacy -R OURS 1 -i fvbr.+ -j ACCEPT");
    assertThat(table()).isEqualTo(filled);
    namespace.run("iptables-legacy -A FORWARD -j OURS");
    assertThat(table()).isPresent().isNotEqualTo(filled);
    namespace.run("iptables-legacy -F");
    assertThat(table()).isEqualTo(empty);
  }

  @Test
  void whatItsRulesCountMakesItNoOther() {
    namespace.run("iptables-legacy -A INPUT -p udp");
    namespace.run("iptables-legacy -A INPUT -p udp -m limit --limit 1/s -j ACCEPT");
    Optional<LegacyFilterTable> before = table();
    namespace.shell("iptables-legacy -v -S INPUT | grep -q -- '-p udp -c 0 0'");
    visited.call(LegacyFilterTableIT::sendToNobody);
    namespace.shell("iptables-legacy -v -S INPUT | grep -q -- '-p udp -c 1 '");
    assertThat(table()).isEqualTo(before);
  }

  @Test
  void ofAVeryLongOneOnlyTheShapeIsSeen() {
    namespace.shell(
        "(echo '*filter'; for i in $(seq 8000); do echo \"-A INPUT -s 127.0.0.$((i % 250))\";"
            + " done; echo COMMIT) | iptables-legacy-restore");
    Optional<LegacyFilterTable> before = table();
    assertThat(before.orElseThrow().sum()).isZero();
    namespace.run("iptables-legacy -D INPUT 1");
    assertThat(table()).isPresent().isNotEqualTo(before);
  }

  @Test
  void askingMakesNoTable() {
    namespace.run("iptables-legacy -t mangle -L");
    assertThat(table()).isEmpty();
    assertThat(namespace.run("cat /proc/thread-self/net/ip_tables_names")).isEqualTo("mangle\n");
  }

  private static int sendToNobody() {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.send(new DatagramPacket(new byte[1], 1, InetAddress.getLoopbackAddress(), 9));
      return 1;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Optional<LegacyFilterTable> table() {
    return visited.call(LegacyFilterTable::read);
  }
}
