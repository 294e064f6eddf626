package io.flannelvlan.driver;

import io.flannelvlan.driver.Endpoint.State;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.MacAddress;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** Records as the journal has them, of networks that are named like their VLANs. */
final class Records {

  private static final Instant NOW = Instant.parse("2026-11-22T20:00:00Z");

  private Records() {}

  static Network network(String vlan, boolean dockersIpam) {
    return new Network(
        "net-" + vlan, vlan, Map.of(), Cidr.parse("10.2.0.0/16"), dockersIpam, false, NOW);
  }

  static VlanLinks links(String vlan, int mtu, String bridge, boolean internal) {
    return new VlanLinks(vlan, "eth0", TestingDriver.HERE, mtu, bridge, internal, "eth0", false);
  }

  static Endpoint endpoint(String id, String vlan, State state, HostPort... ports) {
    InterfaceAddress address =
        InterfaceAddress.parse("10.2.20." + (2 + id.hashCode() % 50) + "/24");
    return new Endpoint(
        id,
        "net-" + vlan,
        address,
        MacAddress.ofEndpoint(address.address()),
        state,
        state == State.CREATED ? "" : "/var/run/docker/netns/1",
        List.of(ports),
        NOW);
  }
}
