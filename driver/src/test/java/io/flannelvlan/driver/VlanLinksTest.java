package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.kernel.Underlay;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.SubnetLayout;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.Vxlan;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.Vni;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VlanLinksTest {

  private static final IpAddress HERE = IpAddress.parse("198.51.100.11");

  @ParameterizedTest
  @CsvSource({
    // underlay, config's MTU (0: none), asked for (empty: not) → MTU of the links
    "1500, 0,    '',   1450",
    "1500, 0,    1400, 1400",
    "1500, 0,    1450, 1450",
    "9000, 0,    '',   8950",
    "9000, 1500, '',   1450",
    "1500, 9000, '',   1450",
    "1500, 1400, 1350, 1350",
  })
  void theMtuIsWhatTheUnderlayCarriesLessTheTunnel(
      int underlay, int config, String asked, int mtu) {
    assertThat(links(underlay, config, Map.of("mtu", asked)).mtu()).isEqualTo(mtu);
  }

  @ParameterizedTest
  @CsvSource({
    "1500, 0,    1451, 'mtu 1451 is too large: eth0 has 1500, less 50 for the tunnel leaves 1450'",
    "9000, 1400, 1400, 'mtu 1400 is too large: VLAN vlan002 has 1400, less 50'",
  })
  void anMtuThatDoesNotFitIsRefused(int underlay, int config, String asked, String text) {
    assertThatThrownBy(() -> links(underlay, config, Map.of("mtu", asked)))
        .isInstanceOf(Refused.class)
        .hasMessageContaining(text);
  }

  @Test
  void aBridgeNamedLikeAnotherLinkOfOursOrOfAnotherVlanIsRefused() {
    assertThatThrownBy(() -> links(1500, 0, Map.of("bridge", "fvbr.3")))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("\"fvbr.3\" is a name that flannelvlan gives to other links");
    VlanLinks wished = links(1500, 0, Map.of("bridge", "br-blue"));
    VlanLinks other = new VlanLinks("vlan003", "eth0", 1450, "br-blue", false);
    assertThatThrownBy(() -> wished.requireOwnBridge(other))
        .isInstanceOf(Refused.class)
        .hasMessage("option bridge: \"br-blue\" is the bridge of VLAN vlan003");
    assertThatCode(() -> wished.requireOwnBridge(wished)).doesNotThrowAnyException();
  }

  @Test
  void aFurtherNetworkOfTheVlanHasToWishTheSame() {
    VlanLinks present = links(1500, 0, Map.of());
    assertThatCode(() -> present.requireAgreement(links(1500, 0, Map.of())))
        .doesNotThrowAnyException();
    assertThatThrownBy(() -> present.requireAgreement(links(1500, 0, Map.of("mtu", "1400"))))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("iface eth0, mtu 1450, bridge fvbr.2, not internal, asked for iface")
        .hasMessageContaining("mtu 1400");
  }

  private static VlanLinks links(int underlay, int config, Map<String, String> options) {
    OptionalInt mtu = config == 0 ? OptionalInt.empty() : OptionalInt.of(config);
    Vlan vlan =
        new Vlan(
            "vlan002",
            new NetworkConfig(
                SubnetLayout.of(Cidr.parse("10.2.0.0/16")),
                new Vxlan(new Vni(2), 8472, mtu, false, false, false)));
    return VlanLinks.of(
        vlan, NetworkOptions.parse(options), new Underlay("eth0", HERE, underlay), false);
  }
}
