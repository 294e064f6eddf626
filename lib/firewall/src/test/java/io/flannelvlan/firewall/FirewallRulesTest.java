package io.flannelvlan.firewall;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.Vni;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What nft would refuse for all together is refused for one by name. */
class FirewallRulesTest {

  private static final VlanRules ONE = vlan(1, "fvbr.1", "10.1.0.0/16");
  private static final VlanRules TWO = vlan(2, "fvbr.2", "10.2.0.0/16");

  @Test
  void orderDoesNotMatter() {
    PublishedPort a = port("0.0.0.0", 80, "10.2.20.5");
    PublishedPort b = port("198.51.100.11", 80, "10.2.20.5");
    FirewallRules rules = new FirewallRules(List.of(ONE, TWO), List.of(a, b), Set.of("a", "b"));
    FirewallRules turned = new FirewallRules(List.of(TWO, ONE), List.of(b, a), Set.of("b", "a"));
    assertThat(turned).isEqualTo(rules);
    assertThat(NftTable.render(turned)).isEqualTo(NftTable.render(rules));
  }

  @Test
  void namesThatWouldBreakOutOfAScriptAreRefused() {
    for (String name : List.of("", "a\"b", "a b", "a\nb", "fvbr+", "fvbr*", "sixteen-letters-")) {
      assertThatThrownBy(() -> vlan(1, name, "10.1.0.0/16"))
          .as(name)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("cannot be named in firewall rules");
      assertThatThrownBy(() -> new FirewallRules(List.of(), List.of(), Set.of(name)))
          .isInstanceOf(IllegalArgumentException.class);
    }
    VlanRules odd =
        new VlanRules(
            "x\n  drop",
            new Vni(1),
            "b",
            "v",
            ONE.range(),
            false,
            true,
            Optional.empty(),
            Optional.empty());
    assertThat(NftTable.render(new FirewallRules(List.of(odd), List.of(), Set.of())))
        .contains("# x?  drop\n");
  }

  @Test
  void vlansShareNothing() {
    for (VlanRules other :
        List.of(
            vlan(2, "fvbr.1", "10.2.0.0/16"),
            vlan(1, "fvbr.2", "10.2.0.0/16"),
            vlan(2, "fvbr.2", "10.1.128.0/17"))) {
      assertThatThrownBy(() -> new FirewallRules(List.of(ONE, other), List.of(), Set.of()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("vlan00" + other.vni());
    }
    assertThatThrownBy(() -> new FirewallRules(List.of(ONE), List.of(), Set.of("fvbr.1")))
        .hasMessage("link fvbr.1 of VLAN vlan001 belongs to another network too");
  }

  @Test
  void rangesThatMeanSomethingElseAreRefused() {
    for (String range : List.of("0.0.0.0/0", "127.1.0.0/16", "239.0.0.0/8", "fd00::/64")) {
      assertThatThrownBy(() -> vlan(1, "fvbr.1", range))
          .hasMessage("VLAN vlan001: no IPv4 range for a VLAN: " + range);
    }
  }

  @Test
  void aPortIsPublishedOnceAndOfAVlan() {
    PublishedPort port = port("198.51.100.11", 80, "10.2.20.5");
    PublishedPort same = port("198.51.100.11", 80, "10.2.20.6");
    assertThatThrownBy(() -> new FirewallRules(List.of(TWO), List.of(port, same), Set.of()))
        .hasMessage(
            "publish tcp 198.51.100.11:80 to 10.2.20.6:80 in vlan002: already published:"
                + " tcp 198.51.100.11:80 to 10.2.20.5:80 in vlan002");
    assertThatThrownBy(() -> new FirewallRules(List.of(ONE), List.of(port), Set.of()))
        .hasMessageContaining("no such VLAN");
    assertThatThrownBy(() -> port("::", 80, "10.2.20.5"))
        .hasMessage("publish at ::: the VLANs are IPv4, so is where they publish");
    assertThatThrownBy(() -> port("0.0.0.0", 65536, "10.2.20.5"))
        .hasMessageContaining("a port is 1…65535");
    assertThatThrownBy(() -> new PortRequest(Protocol.TCP, Optional.empty(), 90, 80))
        .hasMessage("publish at 90-80: no range of ports");
  }

  @Test
  void protocolsHaveDockersNumbers() {
    for (Protocol protocol : Protocol.values()) {
      assertThat(Protocol.of(protocol.number())).isEqualTo(protocol);
    }
    assertThatThrownBy(() -> Protocol.of(1))
        .hasMessage("ports of IP protocol 1 cannot be published, only tcp, udp and sctp");
  }

  private static VlanRules vlan(int vni, String bridge, String range) {
    return new VlanRules(
        "vlan00" + vni,
        new Vni(vni),
        bridge,
        "flannel." + vni,
        Cidr.parse(range),
        false,
        true,
        Optional.empty(),
        Optional.empty());
  }

  private static PublishedPort port(String host, int hostPort, String container) {
    return new PublishedPort(
        Protocol.TCP,
        Optional.of(IpAddress.parse(host)),
        hostPort,
        IpAddress.parse(container),
        80,
        "vlan002");
  }
}
