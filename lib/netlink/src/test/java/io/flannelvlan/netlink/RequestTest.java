package io.flannelvlan.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import io.flannelvlan.netlink.LinkSetting.Alias;
import io.flannelvlan.netlink.LinkSetting.Group;
import io.flannelvlan.netlink.LinkSetting.Ipv4;
import io.flannelvlan.netlink.LinkSetting.Ipv6;
import io.flannelvlan.netlink.LinkSetting.Mac;
import io.flannelvlan.netlink.LinkSetting.Master;
import io.flannelvlan.netlink.LinkSetting.Mtu;
import io.flannelvlan.netlink.LinkSetting.Up;
import io.flannelvlan.netlink.Tunnel.Flag;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What we send is, byte for byte, what iproute2 sends. */
class RequestTest {

  private static final IpAddress LOCAL = IpAddress.parse("198.51.100.11");
  private static final Tunnel TUNNEL = Tunnel.unicast(new Vni(2), 6, LOCAL, 8472);
  private static final MacAddress PEER = MacAddress.parse("36:9f:6c:a1:93:0c");

  static Stream<Arguments> links() {
    return Stream.of(
        Arguments.of("link-add-bridge", Request.addBridge("br0", List.of(mac(1), new Up(true)))),
        Arguments.of(
            "link-add-veth",
            Request.addVeth(
                "fv0",
                List.of(new Mtu(1400), new Master(2)),
                "fv0p",
                List.of(mac(2), new Mtu(1400)))),
        Arguments.of(
            "link-add-vxlan",
            Request.addVxlan(
                "flannel.2",
                TUNNEL,
                List.of(new Mac(MacAddress.parse("5e:f6:85:9e:7c:cf")), new Mtu(1450)))),
        Arguments.of(
            "link-add-vxlan-gbp",
            Request.addVxlan(
                "flannel.9",
                Tunnel.unicast(new Vni(9), 6, LOCAL, 8473).with(Flag.LEARNING).with(Flag.GBP),
                List.of())),
        Arguments.of("link-set-up", Request.setLink(7, List.of(new Up(true)))),
        Arguments.of("link-set-mtu", Request.setLink(4, List.of(new Mtu(1450)))),
        Arguments.of("link-set-nomaster", Request.setLink(4, List.of(new Master(0)))),
        Arguments.of("link-set-master", Request.setLink(4, List.of(new Master(2)))),
        Arguments.of(
            "link-set-alias", Request.setLink(2, List.of(new Alias("flannelvlan:vlan002")))),
        Arguments.of("link-set-address", Request.setLink(3, List.of(mac(3)))),
        Arguments.of(
            "link-set-addrgenmode", Request.setLink(7, List.of(new Ipv6(AddrGenMode.NONE)))),
        Arguments.of("link-delete", Request.deleteLink(4)));
  }

  static Stream<Arguments> entries() {
    Neighbor neighbor = Neighbor.permanent(7, IpAddress.parse("10.2.88.0"), PEER);
    FdbEntry fdb = FdbEntry.permanent(7, PEER, IpAddress.parse("198.51.100.12"));
    return Stream.of(
        Arguments.of("address-replace", address(2, "10.2.20.1/24").put()),
        Arguments.of("address-replace-32", address(7, "10.2.20.0/32").put()),
        Arguments.of("address-replace-v6", address(2, "fd00:2::1/64").put()),
        Arguments.of("address-delete", address(2, "10.2.20.1/24").delete()),
        Arguments.of("neighbor-replace", neighbor.put()),
        Arguments.of("neighbor-delete", neighbor.delete()),
        Arguments.of("fdb-replace", fdb.put()),
        Arguments.of("fdb-delete", fdb.delete()),
        Arguments.of(
            "route-replace",
            Route.onlink(Cidr.parse("10.2.88.0/24"), IpAddress.parse("10.2.88.0"), 7).put()),
        Arguments.of(
            "route-replace-proto",
            Route.direct(Cidr.parse("10.2.99.0/24"), 2)
                .withProtocol(77)
                .withSource(IpAddress.parse("10.2.20.1"))
                .withMetric(5)
                .put()),
        Arguments.of(
            "route-replace-v6",
            Route.onlink(Cidr.parse("fd00:88::/64"), IpAddress.parse("fd00:2::88"), 2)
                .withProtocol(77)
                .withMetric(0)
                .put()));
  }

  @ParameterizedTest
  @MethodSource({"links", "entries"})
  void bytesAreThoseOfIproute2(String capture, Request request) {
    Message theirs = Captured.messages(capture).getFirst();
    Message ours = request.message(theirs.sequence());
    assertThat(hex(ours)).isEqualTo(hex(theirs));
  }

  @Test
  void aliasFollowsCreation() {
    Request request =
        Request.addBridge("br0", List.of(mac(1), new Alias("ours"), new Group(7), new Up(true)));
    assertThat(request)
        .hasToString(
            "ip link add br0 address 02:00:00:00:00:01 group 7 up type bridge"
                + " && ip link set dev br0 alias \"ours\"");
    assertThat(request.followUp().orElseThrow()).hasToString("ip link set dev br0 alias \"ours\"");
  }

  @Test
  void theMtuOfABridgeIsSetOnceItExists() {
    assertThat(Request.addBridge("br0", List.of(new Mtu(1450), new Alias("ours"), new Up(true))))
        .hasToString(
            "ip link add br0 up type bridge && ip link set dev br0 mtu 1450 alias \"ours\"");
  }

  @Test
  void requestsPrintAsCommands() {
    assertThat(Request.addVxlan("flannel.2", TUNNEL, List.of(new Mtu(1450))))
        .hasToString(
            "ip link add flannel.2 mtu 1450 type vxlan"
                + " id 2 dev #6 local 198.51.100.11 dstport 8472 nolearning");
    assertThat(
            Request.addVeth(
                "fv0", List.of(new Master(2), new Up(true)), "fv0p", List.of(new Mtu(1400))))
        .hasToString("ip link add fv0 master #2 up type veth peer name fv0p mtu 1400");
    assertThat(
            Request.setLink(
                    3, List.of(new Mtu(1400), new Ipv4(Ipv4Setting.RP_FILTER, 2), new Up(true)))
                .toString())
        .isEqualTo("ip link set dev #3 mtu 1400 up && sysctl -w net.ipv4.conf.#3.rp_filter=2");
    assertThat(address(2, "10.2.20.1/24").put())
        .hasToString("ip address replace 10.2.20.1/24 dev #2");
    assertThat(Neighbor.permanent(3, IpAddress.parse("10.2.88.0"), PEER).put())
        .hasToString("ip neigh replace 10.2.88.0 lladdr 36:9f:6c:a1:93:0c dev #3 nud permanent");
    assertThat(FdbEntry.permanent(3, PEER, LOCAL).delete())
        .hasToString("bridge fdb del 36:9f:6c:a1:93:0c dev #3 dst 198.51.100.11 self permanent");
    assertThat(
            Route.onlink(Cidr.parse("10.2.88.0/24"), IpAddress.parse("10.2.88.0"), 3)
                .withProtocol(77)
                .put())
        .hasToString("ip route replace 10.2.88.0/24 via 10.2.88.0 dev #3 proto 77 onlink");
  }

  @Test
  void impossibleValuesAreRefusedBeforeTheKernelSeesThem() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Request.addBridge("a-name-of-16-char", List.of()));
    assertThatIllegalArgumentException().isThrownBy(() -> Request.addBridge("br/0", List.of()));
    assertThatIllegalArgumentException().isThrownBy(() -> new Mtu(67));
    assertThatIllegalArgumentException().isThrownBy(() -> new Alias("é".repeat(128)));
    assertThatIllegalArgumentException().isThrownBy(() -> Request.deleteLinks(0));
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> Request.addVeth("a", List.of(), "b", List.of(new Alias("not at creation"))));
  }

  private static String hex(Message message) {
    ByteBuffer out = ByteBuffer.allocate(message.size()).order(ByteOrder.nativeOrder());
    message.writeTo(out);
    return HexFormat.of().formatHex(out.array());
  }

  private static Mac mac(int last) {
    return new Mac(new MacAddress(0x0200_0000_0000L + last));
  }

  private static Address address(int link, String text) {
    return Address.global(link, InterfaceAddress.parse(text));
  }
}
