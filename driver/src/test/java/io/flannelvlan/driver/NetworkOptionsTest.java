package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.net.Vni;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NetworkOptionsTest {

  private static final NetworkOptions NONE =
      new NetworkOptions(
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          /* everywhere= */ true);

  @Test
  void nothingGivenIsNothingWished() {
    assertThat(NetworkOptions.parse(Map.of())).isEqualTo(NONE);
    assertThat(NetworkOptions.parse(Map.of("vni", "", "mtu", " ", "network", ""))).isEqualTo(NONE);
  }

  @Test
  void allThatAreOursAreRead() {
    assertThat(
            NetworkOptions.parse(
                Map.of(
                    "vni", "2",
                    "network", "blue",
                    "iface", "eth1",
                    "bridge", "br-blue",
                    "port", "4789",
                    "mtu", "1400",
                    "everywhere", "false")))
        .isEqualTo(
            new NetworkOptions(
                Optional.of(new Vni(2)),
                Optional.of("blue"),
                Optional.of("eth1"),
                Optional.of("br-blue"),
                Optional.of(4789),
                Optional.of(1400),
                /* everywhere= */ false));
  }

  @Test
  void dockersOwnNamesMeanTheSameAndItsOtherOptionsAreNoError() {
    NetworkOptions options =
        NetworkOptions.parse(
            Map.of(
                "com.docker.network.driver.mtu", "1400",
                "mtu", "1400",
                "com.docker.network.bridge.name", "br0",
                "com.docker.network.container_iface_prefix", "net"));
    assertThat(options.mtu()).contains(1400);
    assertThat(options.bridge()).contains("br0");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "everywhere | no     | option everywhere: \"no\" is neither true nor false",
        "vnl    | 2          | unknown option vnl; flannelvlan knows vni, network, iface, bridge",
        "vni    | 0          | option vni:",
        "vni    | 16777216   | option vni:",
        "vni    | two        | option vni:",
        "mtu    | 67         | option mtu: \"67\" is no number in 68…65535",
        "mtu    | 99999999999| option mtu: \"99999999999\" is no number",
        "port   | 0          | option port: \"0\" is no number in 1…65535",
        "port   | 65536      | option port: \"65536\" is no number",
        "bridge | a/b        | option bridge: \"a/b\" can't be a link's name",
        "bridge | ..         | option bridge: \"..\" can't be a link's name",
        "bridge | br%d       | option bridge: \"br%d\" can't be a link's name",
        "bridge | sixteen-letters1 | can't be a link's name",
      })
  void refused(String option, String value, String text) {
    assertThatThrownBy(() -> NetworkOptions.parse(Map.of(option, value)))
        .isInstanceOf(Refused.class)
        .hasMessageContaining(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "mtu=1400 com.docker.network.driver.mtu=1300",
        "bridge=a com.docker.network.bridge.name=b"
      })
  void oneThingSaidTwiceDifferentlyIsAContradiction(String both) {
    String[] pairs = both.split("[ =]", -1);
    assertThatThrownBy(() -> NetworkOptions.parse(Map.of(pairs[0], pairs[1], pairs[2], pairs[3])))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("contradicts");
  }
}
