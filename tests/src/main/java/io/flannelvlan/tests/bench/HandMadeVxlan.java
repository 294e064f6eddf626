package io.flannelvlan.tests.bench;

import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Host;

/**
 * What an administrator would type to connect two containers as flannel does: a bridge, a VXLAN
 * link with static neighbours, a route, MTU 1450. Its addresses are 10.210.N.0/24 with N from the
 * host's.
 */
final class HandMadeVxlan {
  private HandMadeVxlan() {}

  static void connect(Container one, Container other) {
    build(one, other);
    build(other, one);
  }

  static String address(Container container) {
    return net(container) + ".2";
  }

  private static void build(Container here, Container there) {
    Host host = here.host();
    String script =
        """
        set -e
        ip link add hand-br type bridge
        ip link set hand-br mtu 1450 up
        ip address add $0.1/24 dev hand-br
        ip link add hand-vx address $2 type vxlan id 210 dstport 4789 local $4 dev eth0 nolearning
        ip link set hand-vx mtu 1450 up
        ip address add $0.0/32 dev hand-vx
        ip neighbour add $1.0 lladdr $3 dev hand-vx nud permanent
        bridge fdb append $3 dev hand-vx dst $5
        ip route add $1.0/24 via $1.0 dev hand-vx onlink
        ip link add hand-veth mtu 1450 type veth peer name hand0 mtu 1450 netns $6
        ip link set hand-veth master hand-br up
        iptables -I DOCKER-USER -i hand-br -j ACCEPT
        iptables -I DOCKER-USER -o hand-br -j ACCEPT
        nsenter --target $6 --net ip address add $0.2/24 dev hand0
        nsenter --target $6 --net ip link set hand0 up
        nsenter --target $6 --net ip route add 10.210.0.0/16 via $0.1
        """;
    host.in(
            "bash",
            "-c",
            script,
            net(here),
            net(there),
            mac(here),
            mac(there),
            host.address(),
            there.host().address(),
            here.inspect("{{.State.Pid}}"))
        .orThrow();
  }

  private static String net(Container container) {
    return "10.210." + last(container);
  }

  private static String mac(Container container) {
    return "02:00:00:00:02:" + last(container);
  }

  /** A host's number on the wire, 11 and up. */
  private static String last(Container container) {
    String address = container.host().address();
    return address.substring(address.lastIndexOf('.') + 1);
  }
}
