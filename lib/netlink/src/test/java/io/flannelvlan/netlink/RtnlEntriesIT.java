package io.flannelvlan.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.JsonNode;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.IpAddress.Family;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import io.flannelvlan.netlink.LinkSetting.Up;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Addresses, neighbours, forwarding entries and routes against {@code ip -j} and {@code bridge}.
 */
class RtnlEntriesIT {

  private static final int OURS = 77;
  private static final MacAddress MAC_A = MacAddress.parse("36:9f:6c:a1:93:0c");
  private static final MacAddress MAC_B = MacAddress.parse("36:9f:6c:a1:93:0d");
  private static final IpAddress HOST_B = IpAddress.parse("198.51.100.12");
  private static final IpAddress HOST_C = IpAddress.parse("198.51.100.13");
  private static final IpAddress GATEWAY = IpAddress.parse("10.2.88.0");
  private static final Cidr SUBNET = Cidr.parse("10.2.88.0/24");

  private final TestingNamespace namespace = new TestingNamespace();
  private final Rtnl rtnl = Rtnl.openIn(namespace.path());
  private int bridge;
  private int vxlan;

  @BeforeEach
  void makeLinks() {
    bridge = rtnl.addBridge("br0", List.of(new Up(true))).index();
    int underlay = rtnl.addVeth("eth0", List.of(new Up(true)), "wire", List.of()).index();
    Tunnel tunnel = Tunnel.unicast(new Vni(2), underlay, IpAddress.parse("198.51.100.11"), 8472);
    vxlan = rtnl.addVxlan("flannel.2", tunnel, List.of(new Up(true))).index();
  }

  @AfterEach
  void close() {
    rtnl.close();
    namespace.close();
  }

  @Test
  void addresses() {
    Address gateway = Address.global(bridge, InterfaceAddress.parse("10.2.20.1/24"));
    Address v6 = Address.global(bridge, InterfaceAddress.parse("fd00:2::1/64"));
    Address lease = Address.global(vxlan, InterfaceAddress.parse("10.2.20.0/32"));
    for (Address address : List.of(gateway, v6, lease, gateway)) {
      rtnl.put(address);
    }

    assertThat(rtnl.addresses(bridge)).contains(gateway, v6).doesNotContain(lease);
    assertThat(rtnl.addresses()).contains(gateway, v6, lease);
    JsonNode shown = namespace.first("ip -j -4 addr show dev br0").get("addr_info");
    assertThat(shown).hasSize(1);
    assertThat(shown.at("/0/local").asText()).isEqualTo("10.2.20.1");
    assertThat(shown.at("/0/prefixlen").asInt()).isEqualTo(24);
    assertThat(shown.at("/0/scope").asText()).isEqualTo("global");
    assertThatExceptionOfType(NetlinkException.class)
        .isThrownBy(() -> rtnl.run(gateway.add()))
        .matches(NetlinkException::isExists);

    assertThat(rtnl.delete(gateway)).isTrue();
    assertThat(rtnl.delete(gateway)).isFalse();
    assertThat(rtnl.delete(v6)).isTrue();
    assertThat(rtnl.delete(v6)).isFalse();
    assertThat(rtnl.addresses(bridge)).doesNotContain(gateway, v6);
    assertThat(rtnl.addresses(4711)).isEmpty();
  }

  @Test
  void neighbors() {
    Neighbor first = Neighbor.permanent(vxlan, GATEWAY, MAC_A);
    Neighbor second = Neighbor.permanent(vxlan, GATEWAY, MAC_B);
    Neighbor v6 = Neighbor.permanent(vxlan, IpAddress.parse("fd00:88::"), MAC_A);
    rtnl.put(first);
    rtnl.put(second);
    rtnl.put(v6);

    assertThat(rtnl.neighbors(vxlan)).contains(second, v6).doesNotContain(first);
    assertThat(rtnl.neighbors()).contains(second);
    JsonNode shown = namespace.first("ip -j -4 neigh show dev flannel.2");
    assertThat(shown.get("dst").asText()).isEqualTo("10.2.88.0");
    assertThat(shown.get("lladdr").asText()).isEqualTo(MAC_B.toString());
    assertThat(shown.get("state").toString()).isEqualTo("[\"PERMANENT\"]");

    assertThat(rtnl.delete(second)).isTrue();
    assertThat(rtnl.delete(second)).isFalse();
    assertThat(namespace.json("ip -j -4 neigh show dev flannel.2")).isEmpty();
    assertThat(rtnl.neighbors(4711)).isEmpty();
  }

  @Test
  void forwardingEntries() {
    FdbEntry first = FdbEntry.permanent(vxlan, MAC_A, HOST_B);
    FdbEntry moved = FdbEntry.permanent(vxlan, MAC_A, HOST_C);
    rtnl.put(first);
    rtnl.put(moved);

    assertThat(rtnl.fdb(vxlan)).containsExactly(moved);
    JsonNode shown = namespace.first("bridge -j fdb show dev flannel.2");
    assertThat(shown.get("mac").asText()).isEqualTo(MAC_A.toString());
    assertThat(shown.get("dst").asText()).isEqualTo("198.51.100.13");
    assertThat(shown.get("flags").toString()).isEqualTo("[\"self\"]");
    assertThat(shown.get("state").asText()).isEqualTo("permanent");

    assertThat(rtnl.delete(moved)).isTrue();
    assertThat(rtnl.delete(moved)).isFalse();
    assertThat(rtnl.fdb(vxlan)).isEmpty();
    assertThat(rtnl.fdb(4711)).isEmpty();
  }

  @Test
  void routes() {
    Route route = Route.onlink(SUBNET, GATEWAY, vxlan).withProtocol(OURS);
    Route other = Route.direct(SUBNET, bridge).withProtocol(OURS);
    Route elsewhere = Route.direct(Cidr.parse("10.9.0.0/16"), bridge).withTable(1000);
    rtnl.put(other);
    rtnl.put(route);
    rtnl.put(route);
    rtnl.put(elsewhere);

    assertThat(rtnl.routes(RouteFilter.main(Family.IPV4))).containsExactly(route);
    assertThat(rtnl.routes(RouteFilter.of(Family.IPV4))).contains(route, elsewhere);
    assertThat(rtnl.routes(RouteFilter.of(Family.IPV4).inTable(1000))).containsExactly(elsewhere);
    assertThat(rtnl.routes(RouteFilter.of(Family.IPV4).ofProtocol(OURS))).containsExactly(route);
    assertThat(rtnl.routes(RouteFilter.main(Family.IPV4).through(vxlan))).containsExactly(route);
    assertThat(rtnl.routes(RouteFilter.main(Family.IPV4).through(bridge))).isEmpty();
    assertThat(rtnl.routes(RouteFilter.of(Family.IPV4).inTable(1001))).isEmpty();
    JsonNode shown = namespace.first("ip -j route show 10.2.88.0/24");
    assertThat(shown.get("gateway").asText()).isEqualTo("10.2.88.0");
    assertThat(shown.get("dev").asText()).isEqualTo("flannel.2");
    assertThat(shown.get("protocol").asText()).isEqualTo("77");
    assertThat(shown.get("flags").toString()).isEqualTo("[\"onlink\"]");

    assertThat(rtnl.delete(route.withProtocol(78))).isFalse();
    assertThat(rtnl.delete(route)).isTrue();
    assertThat(rtnl.delete(route)).isFalse();
    assertThat(rtnl.routes(RouteFilter.main(Family.IPV4))).isEmpty();
  }

  @Test
  void routesOfIpv6() {
    rtnl.put(Address.global(bridge, InterfaceAddress.parse("fd00:2::1/64")));
    Route route =
        Route.onlink(Cidr.parse("fd00:88::/64"), IpAddress.parse("fd00:2::88"), bridge)
            .withProtocol(OURS);
    rtnl.put(route);
    assertThat(rtnl.routes(RouteFilter.of(Family.IPV6).ofProtocol(OURS))).containsExactly(route);
    assertThat(namespace.run("ip -6 route show fd00:88::/64")).contains("onlink", "proto 77");
    assertThat(rtnl.delete(route)).isTrue();
    assertThat(rtnl.delete(route)).isFalse();
  }

  @Test
  void routesOfOthersAreReadWhateverTheyAre() {
    namespace.run("ip link set wire up");
    namespace.run("ip addr add 10.0.0.1/24 dev eth0");
    namespace.run("ip route add default via 10.0.0.2");
    namespace.run("ip route add blackhole 10.66.0.0/16");
    namespace.run("ip route add 10.7.0.0/16 nexthop via 10.0.0.3 nexthop via 10.0.0.4");
    namespace.run("ip route add 10.8.0.0/16 via inet6 fe80::1 dev eth0");

    assertThat(rtnl.routes(RouteFilter.main(Family.IPV4)).stream().map(this::named))
        .containsExactlyInAnyOrder(
            "0.0.0.0/0 via 10.0.0.2 dev eth0",
            "10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1",
            "10.7.0.0/16",
            "10.8.0.0/16 via fe80::1 dev eth0",
            "blackhole 10.66.0.0/16");
  }

  private String named(Route route) {
    String eth0 = "#" + rtnl.link("eth0").orElseThrow().index();
    return route.toString().replace(eth0, "eth0");
  }
}
