package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.dockerplugin.NetworkApi.IpamData;
import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.Vlans;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.Vni;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VlanChoiceTest {

  private static final Vlans STANDING =
      new Vlans(
          1,
          new TreeMap<>(
              Map.of(
                  "vlan002",
                  new Vlan("vlan002", NetworkConfig.of(Cidr.parse("10.2.0.0/16"), new Vni(2))),
                  "blue",
                  new Vlan("blue", NetworkConfig.of(Cidr.parse("10.7.0.0/16"), new Vni(1))))),
          List.of());

  @ParameterizedTest
  @CsvSource({
    // pool, options, --ipam-opt network= → name, VNI, stands already
    "10.2.0.0/16, '',                '',      vlan002, 2, true",
    "10.2.0.0/16, vni=2,             vlan002, vlan002, 2, true",
    "10.7.0.0/16, network=blue,      '',      blue,    1, true",
    "10.3.0.0/16, '',                '',      vlan003, 3, false",
    "10.3.0.0/16, vni=9,             '',      vlan009, 9, false",
    "10.3.0.0/16, vni=9 network=red, red,     red,     9, false",
    "10.3.0.0/16, '',                red,     red,     3, false",
    "10.3.0.0/16, vni=16777215,      '',      vlan16777215, 16777215, false",
  })
  void withOurIpam(
      String pool, String options, String ipamName, String name, int vni, boolean stands) {
    VlanChoice choice = byRange(pool, options, ipamName);
    assertThat(choice.vlan().name()).isEqualTo(name);
    assertThat(choice.vlan().vni()).isEqualTo(new Vni(vni));
    assertThat(choice.vlan().range()).isEqualTo(Cidr.parse(pool));
    assertThat(choice.exists()).isEqualTo(stands);
    assertThat(choice.subnet().length()).isEqualTo(24);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "10.2.0.0/16; vni=3;              '';  is not VNI 3: leave out --opt vni or give vni=2",
        "10.2.0.0/16; network=red;        '';  10.2.0.0/16 belongs to VLAN vlan002",
        "10.2.0.0/16; '';                 red; 10.2.0.0/16 belongs to VLAN vlan002",
        "10.2.0.0/16; port=4789;          '';  has UDP port 8472 on all hosts, not 4789",
        "10.3.0.0/16; network=red;        tan; --opt network=red contradicts --ipam-opt network=tan",
        "10.3.0.0/16; network=blue vni=5; '';  VLAN blue (VNI 1, 10.7.0.0/16) is not 10.3.0.0/16",
        "10.3.0.0/16; vni=2;              '';  is not 10.3.0.0/16",
        "10.3.0.0/16; network=a/b;        '';  \"a/b\" cannot name a VLAN",
        "10.3.0.0/29; vni=9;              '';  Network 10.3.0.0/29 is too small",
      })
  void withOurIpamRefused(String pool, String options, String ipamName, String text) {
    assertThatThrownBy(() -> byRange(pool, options, ipamName))
        .isInstanceOf(Refused.class)
        .hasMessageContaining(text);
  }

  @Test
  void withoutAGatewayThereIsNoSubnetToTake() {
    IpamData data =
        new IpamData("flannelvlan", Cidr.parse("10.3.0.0/16"), Optional.empty(), Map.of());
    assertThatThrownBy(() -> VlanChoice.byRange(data, parse(""), Optional.empty(), STANDING))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("leave out --gateway");
  }

  @ParameterizedTest
  @CsvSource({
    "10.2.20.0/24,  '',           vlan002",
    "10.2.20.0/24,  vni=2,        vlan002",
    "10.7.20.0/24,  network=blue, blue",
  })
  void withDockersIpam(String subnet, String options, String name) {
    VlanChoice choice = VlanChoice.bySubnet(data(subnet), parse(options), STANDING);
    assertThat(choice.vlan().name()).isEqualTo(name);
    assertThat(choice.exists()).isTrue();
    assertThat(choice.subnet()).isEqualTo(Cidr.parse(subnet));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        // Docker chose the pool itself: a command without it.
        "172.18.0.0/16; vni=5; --ipam-driver flannelvlan --opt vni=5 vlan005",
        "10.5.0.0/16; vni=5; --ipam-driver flannelvlan --subnet 10.5.0.0/16 --opt vni=5 vlan005",
        "10.5.3.0/24; '';    --ipam-driver flannelvlan --opt vni=3 vlan003",
        "10.5.0.0/16; network=red; --subnet 10.5.0.0/16 --opt vni=3 --opt network=red red",
      })
  void withDockersIpamAndNoVlanTheRightCommandIsPrinted(
      String subnet, String options, String command) {
    assertThatThrownBy(() -> VlanChoice.bySubnet(data(subnet), parse(options), STANDING))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("same addresses on every host")
        .hasMessageEndingWith(command);
  }

  private static VlanChoice byRange(String pool, String options, String ipamName) {
    return VlanChoice.byRange(
        data(pool),
        parse(options),
        Optional.of(ipamName).filter(name -> !name.isEmpty()),
        STANDING);
  }

  /** As RequestPool answers: the gateway of the range's 21st /24. */
  private static IpamData data(String pool) {
    Cidr range = Cidr.parse(pool);
    return new IpamData(
        "flannelvlan",
        range,
        Optional.of(new InterfaceAddress(range.base().plus(20 * 256 + 1), 24)),
        Map.of());
  }

  private static NetworkOptions parse(String options) {
    Map<String, String> map = new HashMap<>();
    for (String pair : options.isEmpty() ? new String[0] : options.split(" ", -1)) {
      map.put(pair.substring(0, pair.indexOf('=')), pair.substring(pair.indexOf('=') + 1));
    }
    return NetworkOptions.parse(map);
  }
}
