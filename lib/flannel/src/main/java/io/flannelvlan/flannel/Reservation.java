package io.flannelvlan.flannel;

import io.flannelvlan.etcd.Grant;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;

/** A host's claim on a subnet of a range that may not be a VLAN yet; it ends with its grant. */
public record Reservation(Cidr range, Cidr subnet, IpAddress host, Grant grant) {}
