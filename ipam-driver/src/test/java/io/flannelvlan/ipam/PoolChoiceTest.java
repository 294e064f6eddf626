package io.flannelvlan.ipam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.SubnetLayout;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.Vlans;
import io.flannelvlan.flannel.Vxlan;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.Vni;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PoolChoiceTest {

  /** vlan002 in 10.2.0.0/16 with /26 subnets, blue in 10.1.0.0/16. */
  private static final Vlans STANDING =
      new Vlans(
          1,
          new TreeMap<>(
              Map.of(
                  "vlan002",
                  new Vlan(
                      "vlan002",
                      new NetworkConfig(
                          SubnetLayout.of(Cidr.parse("10.2.0.0/16"), 26), Vxlan.of(new Vni(2)))),
                  "blue",
                  new Vlan("blue", NetworkConfig.of(Cidr.parse("10.1.0.0/16"), new Vni(7))))),
          List.of());

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        // pool, name → name, range, subnet length
        "10.2.0.0/16, -,       vlan002, 10.2.0.0/16, 26",
        "-,           vlan002, vlan002, 10.2.0.0/16, 26",
        "10.2.0.0/16, vlan002, vlan002, 10.2.0.0/16, 26",
        "10.9.0.0/16, -,       -,       10.9.0.0/16, 24",
        "10.9.0.0/16, red,     red,     10.9.0.0/16, 24",
        "10.9.0.0/26, red,     red,     10.9.0.0/26, 28",
        "-,           -,       -,       10.3.0.0/16, 24",
      })
  void chosen(String pool, String name, String chosenName, String range, int subnetLen) {
    PoolChoice choice = choose(pool, name, _ -> true);
    assertThat(choice.network()).isEqualTo(Optional.ofNullable(chosenName));
    assertThat(choice.layout().range()).isEqualTo(Cidr.parse(range));
    assertThat(choice.layout().subnetLen()).isEqualTo(subnetLen);
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      delimiter = ';',
      value = {
        "10.2.0.0/17; -;       10.2.0.0/17 overlaps VLAN vlan002 (VNI 2, 10.2.0.0/16)",
        "10.0.0.0/8;  -;       10.0.0.0/8 overlaps VLAN blue",
        "10.2.0.0/16; red;     10.2.0.0/16 is VLAN vlan002's, so it can't be red's",
        "10.9.0.0/16; vlan002; VLAN vlan002 has 10.2.0.0/16, not 10.9.0.0/16",
        "-;           red;     VLAN red is not in etcd yet: give --subnet to make it, for example"
            + " --subnet 10.3.0.0/16",
        "10.9.0.0/30; -;       --subnet 10.9.0.0/30: Network 10.9.0.0/30 is too small",
        "-;           a/b;     option network: \"a/b\" cannot name a VLAN",
      })
  void refused(String pool, String name, String text) {
    assertThatThrownBy(() -> choose(pool, name, _ -> true))
        .isInstanceOf(Refused.class)
        .hasMessageContaining(text);
  }

  @Test
  void ofTheDefaultRangesTheFirstThatThisHostCanHaveIsTaken() {
    Predicate<Cidr> free = range -> !range.overlaps(Cidr.parse("10.0.0.0/13"));
    assertThat(choose(null, null, free).layout().range()).isEqualTo(Cidr.parse("10.8.0.0/16"));
    assertThatThrownBy(() -> choose(null, null, _ -> false))
        .isInstanceOf(Refused.class)
        .hasMessage("no /16 of 10.0.0.0/8 is free: give --subnet");
  }

  private static PoolChoice choose(
      @org.jspecify.annotations.Nullable String pool,
      @org.jspecify.annotations.Nullable String name,
      Predicate<Cidr> isFree) {
    return PoolChoice.of(
        Optional.ofNullable(pool).map(Cidr::parse), Optional.ofNullable(name), STANDING, isFree);
  }
}
