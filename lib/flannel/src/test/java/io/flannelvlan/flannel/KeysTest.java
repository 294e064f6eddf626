package io.flannelvlan.flannel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.Vni;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KeysTest {

  private static final FlannelKeys KEYS = new FlannelKeys(FlannelKeys.DEFAULT_PREFIX);

  @Test
  void keysAreFlannels() {
    assertThat(KEYS.config("vlan002")).isEqualTo("/coreos.com/network/vlan002/config");
    assertThat(KEYS.lease("vlan002", SubnetKey.of(Cidr.parse("10.2.20.0/24"))))
        .isEqualTo("/coreos.com/network/vlan002/subnets/10.2.20.0-24");
    assertThat(KEYS.subnets("vlan002")).isEqualTo("/coreos.com/network/vlan002/subnets");
  }

  @Test
  void ourOwnKeysLieOutsideFlannelsRanges() {
    Cidr range = Cidr.parse("10.2.0.0/16");
    assertThat(FlannelKeys.reservation(range, Cidr.parse("10.2.20.0/24")))
        .isEqualTo("/flannelvlan/reservations/10.2.0.0-16/10.2.20.0-24");
    assertThat(FlannelKeys.REGISTRY).isEqualTo("/flannelvlan/registry");
  }

  @ParameterizedTest
  @CsvSource({"/a//b/,/a/b", "a/b,a/b", "/coreos.com/network/,/coreos.com/network"})
  void prefixesAreJoinedAsFlannelJoinsPaths(String given, String meant) {
    assertThat(new FlannelKeys(given).prefix()).isEqualTo(meant);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/", "/flannelvlan", "/flannelvlan/x"})
  void prefixesThatAreNotFlannelsAreRefused(String prefix) {
    assertThatThrownBy(() -> new FlannelKeys(prefix)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.2.20.0-24", "0.0.0.0-0", "10.2.20.0-24&fd00:2:0:14::-64"})
  void subnetKeysAreReadAndWrittenTheSame(String key) {
    assertThat(SubnetKey.parse(key)).hasToString(key);
    assertThat(SubnetKey.parse("/any/prefix/subnets/" + key)).hasToString(key);
  }

  @Test
  void aDualStackKeyNamesBothSubnets() {
    SubnetKey key = SubnetKey.parse("10.2.20.0-24&fd00:2:0:14::-64");
    assertThat(key.subnet()).isEqualTo(Cidr.parse("10.2.20.0/24"));
    assertThat(key.ipv6()).isEqualTo(Optional.of(Cidr.parse("fd00:2:0:14::/64")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "config",
        "10.2.20.0",
        "10.2.20.0-",
        "10.2.20.0-32",
        "10.2.20.0-24x",
        "10.2.20.0/24",
        "10.2.20.5-24",
        "999.2.20.0-24",
        "10.2.20.0-999999999999",
        "10.2.20.0-24&fd00::-128",
        "10.2.20.0-24&::::-64"
      })
  void otherKeysNameNoSubnet(String key) {
    assertThatThrownBy(() -> SubnetKey.parse(key)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"vlan002", "a", "web_1.prod-x", "konfig", "~", "subnet"})
  void namesThatAreOnePathElement(String name) {
    assertThat(Vlan.requireName(name)).isEqualTo(name);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "a/b",
        "/",
        "config",
        "subnets",
        "subnets1",
        ".",
        "..",
        "a b",
        "ä",
        "a\n",
        "\u007f"
      })
  void namesThatWouldConfuseFlannelOrEtcdAreRefused(String name) {
    assertThatThrownBy(() -> Vlan.requireName(name))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("cannot name a VLAN");
  }

  @Test
  void namesHaveALimit() {
    assertThat(Vlan.requireName("x".repeat(64))).hasSize(64);
    assertThatThrownBy(() -> Vlan.requireName("x".repeat(65)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aVlanKnownByItsNumberIsNamedAsInTheSeed() {
    assertThat(Vlan.nameOf(new Vni(2))).isEqualTo("vlan002");
    assertThat(Vlan.nameOf(new Vni(12345))).isEqualTo("vlan12345");
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "/coreos.com/network/vlan002/config,vlan002",
        "/coreos.com/network/subnets1/config,subnets1",
        "/coreos.com/network/config,-",
        "/coreos.com/network/a/b/config,-",
        "/coreos.com/network/vlan002/subnets/10.2.20.0-24,-",
        "/coreos.com/networks/vlan002/config,-"
      })
  void configsOfVlansLieExactlyOneElementDeep(String key, String owner) {
    assertThat(KEYS.configOwner(key)).isEqualTo(Optional.ofNullable(owner));
  }
}
