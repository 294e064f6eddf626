package io.flannelvlan.ipam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.net.Cidr;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PoolIdTest {

  @Test
  void anIdCarriesItsRange() {
    PoolId id = new PoolId(Cidr.parse("10.2.0.0/16"));
    assertThat(id).hasToString("flannelvlan/10.2.0.0/16");
    assertThat(PoolId.parse(id.toString())).isEqualTo(id);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "flannelvlan",
        "flannelvlan/",
        "flannelvlan/10.2.0.0",
        "flannelvlan/10.2.0.0/33",
        "LocalDefault/10.2.0.0/16",
        "10.2.0.0/16"
      })
  void anIdOfSomebodyElseIsRefusedShowingWhatOursLookLike(String text) {
    assertThatThrownBy(() -> PoolId.parse(text))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("\"" + text + "\"")
        .hasMessageContaining("flannelvlan/10.2.0.0/16");
  }
}
