package io.flannelvlan.flannel;

import java.time.Instant;

/**
 * A lease that stands in etcd from now on.
 *
 * @param next when to renew it again
 * @param grant the id of the grant that its key is bound to
 */
public record Renewal(Instant next, long grant) {}
