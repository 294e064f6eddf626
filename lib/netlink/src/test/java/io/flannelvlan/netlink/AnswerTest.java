package io.flannelvlan.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import io.flannelvlan.netlink.Neighbor.State;
import io.flannelvlan.netlink.Tunnel.Flag;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the kernel said to iproute2 is read as what iproute2 had been told to make. */
class AnswerTest {

  private static final MacAddress PEER = MacAddress.parse("36:9f:6c:a1:93:0c");
  private static final IpAddress LOCAL = IpAddress.parse("198.51.100.11");

  private final List<Link> links =
      Captured.messages("links", Message.NEWLINK).stream().map(LinkCodec::read).toList();

  @Test
  void linksOfEveryKind() {
    assertThat(links.stream().map(Link::name))
        .contains(
            "lo", "br0", "fv0", "fv0p", "eth0", "wire", "flannel.2", "flannel.9", "ext0", "grp0");
    assertThat(link("lo")).isInstanceOf(Link.Other.class);
    Link bridge = link("br0");
    assertThat(bridge).isInstanceOf(Link.Bridge.class);
    assertThat(bridge.index()).isEqualTo(2);
    assertThat(bridge.alias()).contains("flannelvlan:vlan002");
    assertThat(bridge.mac()).contains(MacAddress.parse("02:00:00:00:00:01"));
    assertThat(bridge.up()).isTrue();
    assertThat(bridge.addrGenMode()).contains(AddrGenMode.EUI64);
    assertThat(bridge.ipv4().get(Ipv4Setting.SEND_REDIRECTS)).hasValue(1);
    assertThat(link("fv0")).isEqualTo(new Link.Veth(link("fv0").common(), 3, OptionalInt.empty()));
    assertThat(link("fv0").master()).hasValue(2);
    assertThat(link("fv0").mtu()).isEqualTo(1450);
    assertThat(link("flannel.2").addrGenMode()).contains(AddrGenMode.NONE);
  }

  @Test
  void tunnels() {
    Tunnel plain = Tunnel.unicast(new Vni(2), 6, LOCAL, 8472);
    assertThat(tunnel("flannel.2")).isEqualTo(plain);
    assertThat(tunnel("flannel.9"))
        .isEqualTo(Tunnel.unicast(new Vni(9), 6, LOCAL, 8473).with(Flag.GBP).with(Flag.LEARNING));
    assertThat(tunnel("ext0").flags()).contains(Flag.EXTERNAL);
    assertThat(tunnel("ext0").vni()).isEmpty();
    assertThat(tunnel("grp0"))
        .isEqualTo(
            new Tunnel(
                Optional.of(new Vni(5)),
                OptionalInt.of(6),
                Optional.empty(),
                Optional.of(IpAddress.parse("239.1.1.1")),
                4789,
                Set.of(Flag.LEARNING)));
    assertThat(plain.with(Flag.LEARNING).without(Flag.LEARNING)).isEqualTo(plain);
  }

  @Test
  void addresses() {
    List<Address> addresses =
        Captured.messages("addresses", Message.NEWADDR).stream().map(AddressCodec::read).toList();

    assertThat(addresses)
        .contains(
            Address.global(2, InterfaceAddress.parse("10.2.20.1/24")),
            Address.global(2, InterfaceAddress.parse("fd00:2::1/64")),
            Address.global(7, InterfaceAddress.parse("10.2.20.0/32")),
            new Address(1, InterfaceAddress.parse("127.0.0.1/8"), Scope.HOST, Optional.empty()));
  }

  @Test
  void neighborsAndForwardingEntries() {
    List<Neighbor> neighbors =
        Captured.messages("neighbors", Message.NEWNEIGH).stream()
            .flatMap(message -> NeighborCodec.readNeighbor(message).stream())
            .toList();
    assertThat(neighbors).contains(Neighbor.permanent(7, IpAddress.parse("10.2.88.0"), PEER));
    assertThat(neighbors).anyMatch(neighbor -> neighbor.state() == State.NOARP);

    List<FdbEntry> fdb =
        Captured.messages("fdb", Message.NEWNEIGH).stream()
            .flatMap(message -> NeighborCodec.readFdb(message).stream())
            .toList();
    assertThat(fdb).containsExactly(FdbEntry.permanent(7, PEER, IpAddress.parse("198.51.100.12")));
  }

  @Test
  void routesOfAllTables() {
    List<Route> routes = routes("routes");

    assertThat(routes)
        .contains(
            Route.onlink(Cidr.parse("10.2.88.0/24"), IpAddress.parse("10.2.88.0"), 7),
            Route.direct(Cidr.parse("10.67.0.0/16"), 2).withTable(1000),
            Route.direct(Cidr.parse("10.2.99.0/24"), 2)
                .withProtocol(77)
                .withSource(IpAddress.parse("10.2.20.1"))
                .withMetric(5));
    assertThat(routes.stream().map(Route::toString))
        .contains(
            "blackhole 10.66.0.0/16",
            "local 10.2.20.0/32 dev #7 table local proto kernel scope host src 10.2.20.0");
    assertThat(routes("routes-v6"))
        .contains(
            Route.onlink(Cidr.parse("fd00:88::/64"), IpAddress.parse("fd00:2::88"), 2)
                .withProtocol(77));
  }

  @Test
  void theKernelsWordsOnADuplicateVni() {
    List<Message> errors = Captured.messages("duplicate-vni", Message.ERROR);
    Acknowledgement verdict = Acknowledgement.read(errors.getLast());
    NetlinkException refusal =
        NetlinkException.of("ip link add flannel.3", verdict.error(), verdict.text());
    assertThat(refusal)
        .hasMessage(
            "ip link add flannel.3: File exists (EEXIST):"
                + " A VXLAN device with the specified VNI already exists");
    assertThat(refusal.isExists()).isTrue();
    assertThat(refusal.isAbsent()).isFalse();
  }

  private Link link(String name) {
    return links.stream().filter(link -> link.name().equals(name)).findFirst().orElseThrow();
  }

  private Tunnel tunnel(String name) {
    return ((Link.Vxlan) link(name)).tunnel();
  }

  private static List<Route> routes(String capture) {
    return Captured.messages(capture, Message.NEWROUTE).stream()
        .flatMap(message -> RouteCodec.read(message).stream())
        .toList();
  }
}
