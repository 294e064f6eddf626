package io.flannelvlan.driver.kernel;

import io.flannelvlan.firewall.FirewallRules;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What this host's kernel should hold for us, whole.
 *
 * @param vlans every VLAN that this host takes part in; one that is missing here is taken down
 * @param firewall isolation, masquerading and published ports
 * @param faults what can't be wished; of a VLAN that is only named here, what stands stays
 * @param ended the endpoints' links that go, however little is known of all others
 */
public record Desired(
    List<DesiredVlan> vlans,
    FirewallRules firewall,
    List<Fault> faults,
    Extent extent,
    Set<String> ended) {

  /** How much of what this host should hold is known. */
  public enum Extent {
    /** All of it: what is not wished goes. */
    ALL,
    /**
     * All that could be had back after a loss: what else of ours stands may be in use, and stays.
     */
    HAD_BACK,
    /** It is still being had back: the firewall, too, stays as it is. */
    BEGUN
  }

  public Desired {
    vlans = List.copyOf(vlans);
    faults = List.copyOf(faults);
    ended = Set.copyOf(ended);
  }

  public Desired(List<DesiredVlan> vlans, FirewallRules firewall) {
    this(vlans, firewall, List.of(), Extent.ALL, Set.of());
  }

  /** Links without a firewall, for a plan that is only looked at. */
  public Desired(List<DesiredVlan> vlans) {
    this(vlans, FirewallRules.NONE);
  }

  /** Whether the fault leaves nothing to say about its VLAN: never delete on ignorance. */
  boolean isUntold(Fault fault) {
    return vlans.stream().noneMatch(vlan -> vlan.name().equals(fault.vlan()));
  }

  /**
   * A record of ours, or a value in etcd, from which no wish follows. It is one VLAN's fault, and
   * the others are served all the same.
   *
   * @param range the VLAN's
   */
  public record Fault(String vlan, Cidr range, String reason) {}

  /**
   * One VLAN on this host.
   *
   * @param range the whole VLAN's CIDR
   * @param subnets this host's leases, in the order they were taken
   * @param mtu of the vxlan link, every veth and a bridge of its own, in bytes
   * @param peers the other hosts' leases; absent while they are not known, and then nothing that
   *     may be a peer's is removed
   */
  public record DesiredVlan(
      String name,
      Vni vni,
      Cidr range,
      List<Cidr> subnets,
      Links links,
      int mtu,
      Optional<List<Peer>> peers,
      List<DesiredEndpoint> endpoints) {

    /** Whether the bridge was named by the user, so that other VLANs may be on it too. */
    public boolean sharesBridge() {
      return !Mark.isOwnBridge(links.bridge());
    }

    /** Whether some peers come by the underlay link without a tunnel. */
    public boolean direct() {
      return peers.stream().flatMap(List::stream).anyMatch(Peer::direct);
    }

    public DesiredVlan {
      subnets = List.copyOf(subnets);
      peers = peers.map(List::copyOf);
      endpoints = List.copyOf(endpoints);
    }
  }

  /**
   * The two links of a VLAN.
   *
   * @param usersBridge whether the user made the bridge: it is never made, changed nor removed
   * @param vxlanMac this host's VTEP MAC, the one that its lease in etcd tells the peers
   */
  public record Links(
      String bridge,
      boolean usersBridge,
      String vxlan,
      KernelLink.Vxlan tunnel,
      MacAddress vxlanMac) {

    /** With a bridge that we make. */
    public Links(String bridge, String vxlan, KernelLink.Vxlan tunnel, MacAddress vxlanMac) {
      this(bridge, false, vxlan, tunnel, vxlanMac);
    }
  }

  /**
   * Another host's lease.
   *
   * @param direct whether it is reached by a plain route over the underlay link instead of the
   *     tunnel (flannel's DirectRouting)
   */
  public record Peer(Cidr subnet, IpAddress publicAddress, MacAddress vtepMac, boolean direct) {}

  /**
   * A container's attachment.
   *
   * @param hostLink the end that stays, a port of the bridge
   * @param sandboxLink the end that dockerd takes; its name until then
   * @param joined dockerd has taken it: a pair that is missing then is not made again, since its
   *     other end would not be in the container
   */
  public record DesiredEndpoint(
      String hostLink, String sandboxLink, MacAddress mac, boolean joined) {}
}
