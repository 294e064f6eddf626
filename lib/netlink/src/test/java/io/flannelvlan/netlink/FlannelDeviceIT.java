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
      int flannel = make(rtnl, Tunnel.unicast(new Vni(2), eth0, local, 8472));

      assertThat(lines(namespace.run("ip -d link show dev flannel.2")))
          .containsExactly(
              flannel
                  + ": flannel.2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue"
                  + " state UNKNOWN mode DEFAULT group default",
              "link/ether 5e:f6:85:9e:7c:cf brd ff:ff:ff:ff:ff:ff"
                  + " promiscuity 0  allmulti 0 minmtu 68 maxmtu 65535",
              "vxlan id 2 local 198.51.100.11 dev eth0 srcport 0 0 dstport 8472 nolearning"
                  + " ttl auto ageing 300 udpcsum noudp6zerocsumtx noudp6zerocsumrx"
                  + " addrgenmode eui64 numtxqueues 1 numrxqueues 1 gso_max_size 65536"
                  + " gso_max_segs 65535 tso_max_size 524280 tso_max_segs 65535"
                  + " gro_max_size 65536");
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

  private static int make(Rtnl rtnl, Tunnel tunnel) {
    Mac mac = new Mac(MacAddress.parse("5e:f6:85:9e:7c:cf"));
    int flannel =
        rtnl.addVxlan("flannel.2", tunnel, List.of(mac, new Mtu(1450), new QueueLength(0))).index();
    rtnl.put(Address.global(flannel, InterfaceAddress.parse("10.2.11.0/32")));
    rtnl.set(flannel, List.of(new Up(true)));
    IpAddress base = IpAddress.parse("10.2.22.0");
    rtnl.put(Neighbor.permanent(flannel, base, PEER));
    rtnl.put(FdbEntry.permanent(flannel, PEER, IpAddress.parse("198.51.100.12")));
    rtnl.put(Route.onlink(Cidr.parse("10.2.22.0/24"), base, flannel).withProtocol(77));
    return flannel;
  }

  private static List<String> lines(String output) {
    return output.lines().map(String::strip).toList();
  }
}
