package io.flannelvlan.dockerplugin;

/** Who does what dockerd asks. */
record Handlers(NetworkApi network, IpamApi ipam) {}
