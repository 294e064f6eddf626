package io.flannelvlan.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
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
  void itsShapeIsAnotherOnceARuleWasAddedOrRemoved() {
    namespace.run("iptables-legacy -N OURS");
    Optional<ByteBuffer> empty = shape();
    assertThat(empty).isPresent();
    assertThat(shape()).isEqualTo(empty);
    namespace.run("iptables-legacy -A OURS -i fvbr.+ -j ACCEPT");
    Optional<ByteBuffer> filled = shape();
    assertThat(filled).isPresent().isNotEqualTo(empty);
    namespace.run("iptables-legacy -A FORWARD -j OURS");
    assertThat(shape()).isPresent().isNotEqualTo(filled);
    namespace.run("iptables-legacy -F");
    assertThat(shape()).isEqualTo(empty);
  }

  @Test
  void askingMakesNoTable() {
    namespace.run("iptables-legacy -t mangle -L");
    assertThat(shape()).isEmpty();
    assertThat(namespace.run("cat /proc/thread-self/net/ip_tables_names")).isEqualTo("mangle\n");
  }

  private Optional<ByteBuffer> shape() {
    return visited.call(LegacyFilterTable::shape);
  }
}
