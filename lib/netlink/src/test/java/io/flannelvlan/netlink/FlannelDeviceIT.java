package io.flannelvlan.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import io.flannelvlan.netlink.LinkSetting.Mac;
import io.flannelvlan.netlink.LinkSetting.Mtu;
import io.flannelvlan.netlink.LinkSetting.QueueLength;
import io.flannelvlan.netlink.LinkSetting.Up;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * A device with one peer looks exactly like the one that stock flanneld v0.28.9 was seen to make
 * (its words in {@code ip} are copied from that recording); only the route's mark is ours.
 */
class FlannelDeviceIT {

  private static final MacAddress PEER = MacAddress.parse("36:9f:6c:a1:93:0c");

  @Test
  void deviceNeighborForwardingEntryAndRouteAreFlannels() {
    try (TestingNamespace namespace = new TestingNamespace();
        Rtnl rtnl = Rtnl.openIn(namespace.path())) {
      int eth0 = rtnl.addVeth("eth0", List.of(new Up(true)), "wire", List.of()).index();
      IpAddress local = IpAddress.parse("198.51.100.11");
      rtnl.put(Address.global(eth0, new InterfaceAddress(local, 24)));
      make(rtnl, Tunnel.unicast(new Vni(2), eth0, local, 8472));

      assertThat(details(namespace)).isEqualTo(detailsOfOneMadeByHand());
      assertThat(lines(namespace.run("ip -4 addr show dev flannel.2")))
          .contains("inet 10.2.11.0/32 scope global flannel.2");
      assertThat(lines(namespace.run("ip -d neigh show dev flannel.2")))
          .contains("10.2.22.0 lladdr 36:9f:6c:a1:93:0c PERMANENT");
      assertThat(lines(namespace.run("bridge fdb show dev flannel.2")))
          .containsExactly("36:9f:6c:a1:93:0c dst 198.51.100.12 self permanent");
      assertThat(lines(namespace.run("ip -4 route show dev flannel.2")))
          .containsExactly("10.2.22.0/24 via 10.2.22.0 proto 77 onlink");
      assertThat(lines(namespace.run("ip -4 route show table local dev flannel.2")))
          .containsExactly("local 10.2.11.0 proto kernel scope host src 10.2.11.0");
    }
  }

  private static void make(Rtnl rtnl, Tunnel tunnel) {
    Mac mac = new Mac(MacAddress.parse("5e:f6:85:9e:7c:cf"));
    int flannel =
        rtnl.addVxlan("flannel.2", tunnel, List.of(mac, new Mtu(1450), new QueueLength(0))).index();
    rtnl.put(Address.global(flannel, InterfaceAddress.parse("10.2.11.0/32")));
    rtnl.set(flannel, List.of(new Up(true)));
    IpAddress base = IpAddress.parse("10.2.22.0");
    rtnl.put(Neighbor.permanent(flannel, base, PEER));
    rtnl.put(FdbEntry.permanent(flannel, PEER, IpAddress.parse("198.51.100.12")));
    rtnl.put(Route.onlink(Cidr.parse("10.2.22.0/24"), base, flannel).withProtocol(77));
  }

  /** Made by the commands that do what flanneld does, and shown by the same version of ip. */
  private static List<String> detailsOfOneMadeByHand() {
    try (TestingNamespace namespace = new TestingNamespace()) {
      namespace.run("ip link add eth0 up type veth peer name wire");
      namespace.run("ip addr add 198.51.100.11/24 dev eth0");
      namespace.run(
          "ip link add flannel.2 address 5e:f6:85:9e:7c:cf mtu 1450 txqueuelen 0 type vxlan id 2"
              + " dev eth0 local 198.51.100.11 dstport 8472 nolearning");
      namespace.run("ip addr add 10.2.11.0/32 dev flannel.2");
      namespace.run("ip link set flannel.2 up");
      return details(namespace);
    }
  }

  /** All that ip tells of the device but for its index. */
  private static List<String> details(TestingNamespace namespace) {
    return lines(namespace.run("ip -d link show dev flannel.2").replaceFirst("^\\d+: ", ""));
  }

  private static List<String> lines(String output) {
    return output.lines().map(String::strip).toList();
  }
}
