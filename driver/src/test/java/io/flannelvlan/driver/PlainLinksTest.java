package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.driver.kernel.KernelLink;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.driver.kernel.LinkAddress;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.PlainSubnet;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which links of others are in a VLAN, by what they carry. */
class PlainLinksTest {

  private static final HostVlan ONE = vlan(1, Optional.of("10.1.200.0/24"));
  private static final HostVlan TWO = vlan(2, Optional.of("10.2.200.0/24"));

  private final Map<String, KernelLink> links = new HashMap<>();
  private final Set<LinkAddress> addresses = new HashSet<>();

  @Test
  void theOneThatCarriesTheGatewayAsTheFileHasIt() {
    carry("docker0", "", "10.1.200.1/24");
    carry("cni0", "", "10.2.200.1/24");
    assertThat(plain(ONE, TWO)).isEqualTo(Map.of("vlan001", "docker0", "vlan002", "cni0"));
  }

  @Test
  void noneOfOursAndNoneThatCarriesSomethingElse() {
    carry("fvbr.1", "flannelvlan vlan001", "10.1.200.1/24");
    carry("docker0", "", "10.1.200.1/16");
    carry("eth1", "", "10.1.200.2/24");
    carry("cni0", "", "10.2.200.1/24");
    assertThat(plain(ONE, vlan(2, Optional.empty()))).isEmpty();
  }

  @Test
  void oneThatCarriesTwoIsTheFirstOnesAlone() {
    carry("docker0", "", "10.1.200.1/24");
    carry("docker0", "", "10.2.200.1/24");
    assertThat(plain(TWO, ONE)).isEqualTo(Map.of("vlan001", "docker0"));
  }

  @Test
  void noneWhoseNameRulesCannotHold() {
    carry("docker+", "", "10.1.200.1/24");
    assertThat(plain(ONE)).isEmpty();
  }

  private Map<String, String> plain(HostVlan... vlans) {
    return PlainLinks.of(
        List.of(vlans), new KernelState(links, addresses, Set.of(), Set.of(), Set.of(), Set.of()));
  }

  private void carry(String link, String alias, String address) {
    links.put(
        link,
        new KernelLink(
            link, new KernelLink.Bridge(), Optional.empty(), 1450, true, Optional.empty(), alias));
    addresses.add(new LinkAddress(link, InterfaceAddress.parse(address)));
  }

  private static HostVlan vlan(int vni, Optional<String> plain) {
    return new HostVlan(
        "vlan00" + vni,
        NetworkConfig.of(Cidr.parse("10." + vni + ".0.0/16"), new Vni(vni)),
        List.of(Cidr.parse("10." + vni + ".20.0/24")),
        new MacAddress(vni),
        IpAddress.parse("198.51.100.11"),
        List.of(),
        plain.map(subnet -> new PlainSubnet(Cidr.parse(subnet), false)));
  }
}
