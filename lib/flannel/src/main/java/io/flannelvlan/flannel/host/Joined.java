package io.flannelvlan.flannel.host;

/**
 * A VLAN that this host is in.
 *
 * @param tookLease whether this very call took the lease: it stood before otherwise, perhaps with
 *     containers that run on
 */
public record Joined(HostVlan vlan, boolean tookLease) {}
