package io.flannelvlan.firewall;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.Vni;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * One VLAN as the firewall sees it.
 *
 * @param name the VLAN's name, by which published ports refer to it
 * @param vni its number on the wire; must differ from those of all other VLANs here
 * @param bridge the bridge that holds the gateway address and the containers
 * @param vxlan the link to the peers
 * @param udpPort the VXLAN port on the underlay
 * @param range all addresses of the VLAN, on every host
 * @param internal nothing enters or leaves, published ports included
 * @param masquerade whether packets to the outside carry the host's address
 * @param peers the underlay addresses that may send into this VNI; absent: not known, so any may
 * @param direct the underlay link by which peers also come without a tunnel (flannel's
 *     DirectRouting)
 * @param plain a bridge that is not ours with containers of the VLAN, as a plain dockerd's
 */
public record VlanRules(
    String name,
    Vni vni,
    String bridge,
    String vxlan,
    int udpPort,
    Cidr range,
    boolean internal,
    boolean masquerade,
    Optional<Set<IpAddress>> peers,
    Optional<String> direct,
    Optional<String> plain) {

  private static final Cidr LOOPBACK = Cidr.parse("127.0.0.0/8");
  private static final Cidr MULTICAST = Cidr.parse("224.0.0.0/4");

  public VlanRules {
    LinkName.checked(bridge);
    LinkName.checked(vxlan);
    direct.ifPresent(LinkName::checked);
    plain.ifPresent(LinkName::checked);
    if (udpPort < 1 || udpPort > 65535) {
      throw new IllegalArgumentException("VLAN " + name + ": no VXLAN port " + udpPort);
    }
    if (!range.base().isIpv4() || range.overlaps(LOOPBACK) || range.overlaps(MULTICAST)) {
      throw new IllegalArgumentException("VLAN " + name + ": no IPv4 range for a VLAN: " + range);
    }
    peers = peers.map(Set::copyOf);
  }

  /** A VLAN whose peers come through the tunnel only. */
  public VlanRules(
      String name,
      Vni vni,
      String bridge,
      String vxlan,
      int udpPort,
      Cidr range,
      boolean internal,
      boolean masquerade,
      Optional<Set<IpAddress>> peers) {
    this(name, vni, bridge, vxlan, udpPort, range, internal, masquerade, peers, Optional.empty());
  }

  /** A VLAN whose containers are all on our bridge. */
  public VlanRules(
      String name,
      Vni vni,
      String bridge,
      String vxlan,
      int udpPort,
      Cidr range,
      boolean internal,
      boolean masquerade,
      Optional<Set<IpAddress>> peers,
      Optional<String> direct) {
    this(
        name,
        vni,
        bridge,
        vxlan,
        udpPort,
        range,
        internal,
        masquerade,
        peers,
        direct,
        Optional.empty());
  }

  /** Whether rules can name the link: one that is not ours may have any name. */
  public static boolean canName(String link) {
    return LinkName.isPlain(link);
  }

  /** The same, with containers on that bridge too. */
  public VlanRules withPlain(Optional<String> link) {
    return new VlanRules(
        name, vni, bridge, vxlan, udpPort, range, internal, masquerade, peers, direct, link);
  }

  /** The bridges with its containers. */
  List<String> bridges() {
    return Stream.concat(Stream.of(bridge), plain.stream()).toList();
  }

  /** All links by which its packets come and go. */
  List<String> links() {
    return Stream.concat(bridges().stream(), Stream.of(vxlan)).toList();
  }
}
