/**
 * The kernel's network configuration, spoken over netlink sockets: links, addresses, neighbours,
 * forwarding entries, routes.
 *
 * <p>Three layers, each usable without the one above: bytes ({@code Message}, {@code
 * AttributeReader}, {@code AttributeWriter} and one codec per value, all pure), the connection
 * ({@code NetlinkSocket}, the only user of {@code Libc}), and the friendly face ({@link
 * io.flannelvlan.netlink.Rtnl}, {@link io.flannelvlan.netlink.Events}).
 *
 * <p>Knows the kernel's rtnetlink and the values of {@code io.flannelvlan.net}. Must not know
 * Docker, etcd, flannel, or which objects are ours: it does what it is told, and reports what it
 * sees.
 *
 * <p>Threads: a native call pins the carrier of a virtual thread, so one platform thread owns each
 * socket and nothing here takes a lock.
 */
@NullMarked
package io.flannelvlan.netlink;

import org.jspecify.annotations.NullMarked;
