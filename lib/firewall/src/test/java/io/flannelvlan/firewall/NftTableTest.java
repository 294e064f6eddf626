package io.flannelvlan.firewall;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The whole text, kept beside the tests: read the golden file to know the firewall. */
class NftTableTest {

  private static final VlanRules ONE = vlan(1, false, Optional.empty());
  private static final VlanRules TWO = vlan(2, false, Optional.empty());

  @Test
  void twoVlans() {
    FirewallRules rules =
        new FirewallRules(
            List.of(TWO, ONE),
            List.of(
                port(Protocol.UDP, "0.0.0.0", 8080),
                port(Protocol.TCP, "0.0.0.0", 8080),
                port(Protocol.SCTP, "198.51.100.11", 8080)),
            Set.of("docker_gwbridge", "docker0"));
    assertThat(NftTable.render(rules)).isEqualTo(golden("two-vlans.nft"));
  }

  @Test
  void oneInternalVlan() {
    VlanRules internal = vlan(2, true, Optional.empty());
    FirewallRules rules =
        new FirewallRules(
            List.of(internal), List.of(port(Protocol.TCP, "0.0.0.0", 8080)), Set.of());
    assertThat(NftTable.render(rules)).isEqualTo(golden("internal-vlan.nft"));
  }

  @Test
  void twoVlansAndOneBehindAFenceOnABridgeThatTheUserNamed() {
    FirewallRules rules =
        new FirewallRules(
            List.of(shared(1, false), shared(2, true)),
            List.of(port(Protocol.TCP, "0.0.0.0", 8080)),
            Set.of("docker0"),
            List.of(new Fence("vlan003", Set.of(), Set.of("flannel.3"))),
            List.of(new NamedBridge("br-tun1", List.of(member(3), member(2), member(1)))));
    assertThat(NftTable.render(rules) + BridgeTable.render(rules))
        .isEqualTo(golden("shared-bridge.nft"));
  }

  private static VlanRules shared(int vni, boolean internal) {
    return new VlanRules(
        "vlan00" + vni,
        new Vni(vni),
        "br-tun1",
        "flannel." + vni,
        Cidr.parse("10." + vni + ".0.0/16"),
        internal,
        true,
        Optional.empty(),
        Optional.empty());
  }

  /** Of the third no more is known than what the kernel shows. */
  private static NamedBridge.Member member(int vni) {
    Set<MacAddress> stations =
        Set.of(
            MacAddress.parse("0a:58:0a:0" + vni + ":14:05"),
            MacAddress.parse("0a:58:0a:0" + vni + ":14:06"));
    return new NamedBridge.Member(
        "vlan00" + vni,
        new Vni(vni),
        Set.of(Cidr.parse("10." + vni + ".20.0/24")),
        vni == 3 ? Optional.empty() : Optional.of(stations));
  }

  @Test
  void oneVlanWithContainersOnDockersBridge() {
    VlanRules plain = vlan(2, false, Optional.of("docker0"));
    FirewallRules rules = new FirewallRules(List.of(plain), List.of(), Set.of("docker_gwbridge"));
    assertThat(rules.passages()).containsExactly(Passage.of("fvbr.2"));
    assertThat(rules.plainBridges()).containsExactly("docker0");
    assertThat(NftTable.render(rules)).isEqualTo(golden("plain-bridge.nft"));
  }

  private static VlanRules vlan(int vni, boolean internal, Optional<String> plain) {
    return new VlanRules(
        "vlan00" + vni,
        new Vni(vni),
        "fvbr." + vni,
        "flannel." + vni,
        Cidr.parse("10." + vni + ".0.0/16"),
        internal,
        true,
        Optional.empty(),
        plain);
  }

  private static PublishedPort port(Protocol protocol, String host, int hostPort) {
    return new PublishedPort(
        protocol,
        Optional.of(IpAddress.parse(host)),
        hostPort,
        IpAddress.parse("10.2.20.5"),
        80,
        "vlan002");
  }

  private static String golden(String name) {
    try (InputStream in = NftTableTest.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
