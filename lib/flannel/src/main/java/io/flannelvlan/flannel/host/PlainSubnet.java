package io.flannelvlan.flannel.host;

import io.flannelvlan.net.Cidr;

/**
 * A subnet of a VLAN for a link here that is not ours, such as the bridge of a plain dockerd: we
 * give out no address of it.
 *
 * @param leased whether this host has it in etcd; until a link carries its gateway it is only named
 */
public record PlainSubnet(Cidr subnet, boolean leased) {}
