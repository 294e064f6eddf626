package io.flannelvlan.flannel;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;

/**
 * What flanneld tells the programs beside it about a network: its {@code subnet.env}. Shells source
 * it, systemd reads it as an EnvironmentFile, flannel's CNI plugin line by line; all pass over a
 * comment.
 *
 * @param network the whole VLAN's range
 * @param subnet the gateway in the subnet that they may use, with the subnet's length
 * @param mtu of their links, in bytes
 * @param masquerade whether packets to the outside are masqueraded by us, or must not be, so that
 *     they need not do it
 */
public record SubnetFile(Cidr network, InterfaceAddress subnet, int mtu, boolean masquerade) {

  /** In flannel's order. */
  String text() {
    return """
    FLANNEL_NETWORK=%s
    FLANNEL_SUBNET=%s
    FLANNEL_MTU=%d
    FLANNEL_IPMASQ=%b
    """
        .formatted(network, subnet, mtu, masquerade);
  }
}
