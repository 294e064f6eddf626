package io.flannelvlan.driver.kernel;

import io.flannelvlan.driver.kernel.Desired.DesiredEndpoint;
import io.flannelvlan.driver.kernel.Desired.DesiredVlan;
import io.flannelvlan.driver.kernel.Desired.Links;
import io.flannelvlan.driver.kernel.Desired.Peer;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** VLANs of this host, 198.51.100.11 on eth0, for tests on a real kernel. */
final class Wished {

  static final IpAddress HERE = IpAddress.parse("198.51.100.11");

  private Wished() {}

  /** VLAN {@code vni} in 10.{@code vni}.0.0/16, with so many peers and waiting endpoints. */
  static DesiredVlan vlan(int vni, int peers, int endpoints) {
    return on("eth0", vni, peers, endpoints);
  }

  /** The same over another underlay. */
  static DesiredVlan on(String underlay, int vni, int peers, int endpoints) {
    List<Peer> all = new ArrayList<>();
    for (int i = 0; i < peers; i++) {
      all.add(
          new Peer(
              Cidr.parse("10." + vni + "." + (88 + i) + ".0/24"),
              IpAddress.parse("198.51.100." + (12 + i)),
              new MacAddress(0x2a886f10c400L + i),
              false));
    }
    List<DesiredEndpoint> waiting = new ArrayList<>();
    for (int i = 0; i < endpoints; i++) {
      String id = "%d%011x".formatted(vni, i);
      waiting.add(
          new DesiredEndpoint("fv" + id, "fc" + id, new MacAddress(0x0a580a021400L + i), false));
    }
    return new DesiredVlan(
        "vlan00" + vni,
        new Vni(vni),
        Cidr.parse("10." + vni + ".0.0/16"),
        List.of(Cidr.parse("10." + vni + ".20.0/24")),
        new Links(
            "fvbr." + vni,
            "flannel." + vni,
            new KernelLink.Vxlan(new Vni(vni), underlay, Optional.of(HERE), 8472, false, false),
            MacAddress.parse("0e:2d:11:20:5a:0" + vni)),
        1450,
        Optional.of(all),
        waiting);
  }

  static DesiredVlan withName(DesiredVlan vlan, String name) {
    return new DesiredVlan(
        name,
        vlan.vni(),
        vlan.range(),
        vlan.subnets(),
        vlan.links(),
        vlan.mtu(),
        vlan.peers(),
        vlan.endpoints());
  }

  static DesiredVlan withPeers(DesiredVlan vlan, Optional<List<Peer>> peers) {
    return new DesiredVlan(
        vlan.name(),
        vlan.vni(),
        vlan.range(),
        vlan.subnets(),
        vlan.links(),
        vlan.mtu(),
        peers,
        vlan.endpoints());
  }

  /** The same on a bridge that others may share. */
  static DesiredVlan onBridge(DesiredVlan vlan, String bridge, boolean users) {
    Links own = vlan.links();
    return with(
        vlan,
        new Links(bridge, users, own.vxlan(), own.tunnel(), own.vxlanMac()),
        vlan.mtu(),
        vlan.endpoints());
  }

  static DesiredVlan with(DesiredVlan vlan, Links links, int mtu, List<DesiredEndpoint> endpoints) {
    return new DesiredVlan(
        vlan.name(), vlan.vni(), vlan.range(), vlan.subnets(), links, mtu, vlan.peers(), endpoints);
  }
}
