package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.kernel.Underlay;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.SubnetLayout;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.Vxlan;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.Vni;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VlanLinksTest {

  private static final IpAddress HERE = IpAddress.parse("198.51.100.11");
  private static final Underlay ETH0 = new Underlay("eth0", HERE, 1500);

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
  void aFurtherNetworkOfTheVlanHasToWishTheSame() {
    VlanLinks present = links(1500, 0, Map.of());
    assertThat(another(present, ETH0, Map.of())).isEqualTo(present);
    assertThat(another(present, ETH0, Map.of("mtu", "1450"))).isEqualTo(present);
    assertThatThrownBy(() -> another(present, ETH0, Map.of("mtu", "1400")))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("iface eth0, mtu 1450, bridge fvbr.2, not internal, asked for iface")
        .hasMessageContaining("mtu 1400");
  }

  @Test
  void aFurtherNetworkTakesTheMtuThatTheVlanHasWhateverTheUnderlayCarriesByNow() {
    VlanLinks present = links(1500, 0, Map.of());
    for (int mtu : new int[] {1400, 9000}) {
      Underlay changed = new Underlay("eth0", HERE, mtu);
      assertThat(another(present, changed, Map.of())).isEqualTo(present);
      assertThat(another(present, changed, Map.of("mtu", "1450"))).isEqualTo(present);
    }
  }

  @Test
  void aFurtherNetworkDoesNotCareWhereTheVlanBeganAndWhatItsAddressWas() {
    VlanLinks began = links(1500, 0, Map.of());
    VlanLinks moved =
        began
            .on(new Underlay("eth1", IpAddress.parse("198.51.100.61"), 1500))
            .on(new Underlay("eth0", IpAddress.parse("198.51.100.62"), 1500));
    assertThat(another(moved, ETH0, Map.of())).isEqualTo(moved);
    VlanLinks away = began.on(new Underlay("eth1", HERE, 1500));
    assertThat(away.home()).isEqualTo("eth0");
    assertThatThrownBy(() -> another(away, ETH0, Map.of())).hasMessageContaining("iface eth1");
  }

  /** As an earlier release wrote it. */
  record Earlier(
      String vlan,
      String underlay,
      IpAddress local,
      int mtu,
      String bridge,
      boolean internal,
      String home) {}

  @Test
  void ofARecordOfAnEarlierReleaseTheBridgeIsOurs(@TempDir Path state) {
    try (Journal journal = Journal.open(state)) {
      Earlier record = new Earlier("vlan002", "eth0", HERE, 1450, "br-blue", false, "eth0");
      journal.commit(new Batch().put(journal.table("links", Earlier.class), "vlan002", record));
    }
    try (Journal journal = Journal.open(state)) {
      assertThat(journal.table("links", VlanLinks.class).get("vlan002"))
          .contains(new VlanLinks("vlan002", "eth0", HERE, 1450, "br-blue", false, "eth0", false));
    }
  }

  private static VlanLinks another(VlanLinks present, Underlay on, Map<String, String> options) {
    return present.forAnother(
        NetworkOptions.parse(options), on, new BridgeChoice("fvbr.2", false), false);
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
        vlan,
        NetworkOptions.parse(options),
        new Underlay("eth0", HERE, underlay),
        new BridgeChoice("fvbr.2", false),
        false);
  }
}
