package io.flannelvlan.driver.shared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class NetworkChoiceTest {

  @Test
  void allNoneOrSome() {
    assertThat(NetworkChoice.of(List.of("all")).includes("vlan001")).isTrue();
    assertThat(NetworkChoice.of(List.of("none")).includes("vlan001")).isFalse();
    NetworkChoice some = NetworkChoice.of(List.of("vlan001", "web"));
    assertThat(some.includes("vlan001")).isTrue();
    assertThat(some.includes("vlan002")).isFalse();
  }

  @Test
  void whatCantBeMeantIsRefused() {
    assertThatThrownBy(() -> NetworkChoice.of(List.of("vlan001", "none")))
        .hasMessageContaining("stand alone");
    assertThatThrownBy(() -> NetworkChoice.of(List.of("a b")))
        .hasMessageContaining("cannot name a VLAN");
  }
}
