package io.flannelvlan.etcd;

import java.time.Duration;

/**
 * A time to live that keys can be bound to; etcd calls it a lease, which here is flannel's word.
 *
 * @param id etcd's number for it
 * @param ttl as granted, counted from the grant
 */
public record Grant(long id, Duration ttl) {}
