package io.flannelvlan.dockerplugin;

/**
 * What dockerd asks before any network exists: answered from the first moment, whatever etcd and
 * the handlers do.
 *
 * <p>One failed GetCapabilities makes a driver unusable until dockerd restarts, so these answers
 * are values and not calls.
 */
public record Manifest(
    NetworkApi.Capabilities network,
    IpamApi.Capabilities ipam,
    IpamApi.DefaultAddressSpaces addressSpaces) {}
