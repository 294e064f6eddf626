package io.flannelvlan.firewall;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.Vni;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * One VLAN as the firewall sees it. Who may send into its VNI is not its matter: a peer behind
 * address translation sends from another address than the one in its lease, and stock flanneld
 * filters nothing either.
 *
 * @param name the VLAN's name, by which published ports refer to it
 * @param vni its number on the wire; must differ from those of all other VLANs here
 * @param bridge the bridge that holds the gateway address and the containers
 * @param vxlan the link to the peers
 * @param range all addresses of the VLAN, on every host
 * @param internal nothing enters or leaves, published ports included
 * @param masquerade whether packets to the outside carry the host's address
 * @param direct the underlay link by which peers also come without a tunnel (flannel's
 *     DirectRouting)
 * @param plain a bridge that is not ours with containers of the VLAN, as a plain dockerd's
 */
public record VlanRules(
    String name,
    Vni vni,
    String bridge,
    String vxlan,
    Cidr range,
    boolean internal,
    boolean masquerade,
    Optional<String> direct,
    Optional<String> plain) {

  private static final Cidr LOOPBACK = Cidr.parse("127.0.0.0/8");
  private static final Cidr MULTICAST = Cidr.parse("224.0.0.0/4");

  public VlanRules {
    LinkName.checked(bridge);
    LinkName.checked(vxlan);
    direct.ifPresent(LinkName::checked);
    plain.ifPresent(LinkName::checked);
    if (!range.base().isIpv4() || range.overlaps(LOOPBACK) || range.overlaps(MULTICAST)) {
      throw new IllegalArgumentException("VLAN " + name + ": no IPv4 range for a VLAN: " + range);
    }
  }

  /** Whether rules can name the link: one that is not ours may have any name. */
  public static boolean canName(String link) {
    return LinkName.isPlain(link);
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
