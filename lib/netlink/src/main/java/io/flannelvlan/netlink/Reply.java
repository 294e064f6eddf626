package io.flannelvlan.netlink;

import java.util.Optional;

/**
 * What became of one request of a batch.
 *
 * @param failure empty if the kernel did it
 */
public record Reply(Request request, Optional<NetlinkException> failure) {}
