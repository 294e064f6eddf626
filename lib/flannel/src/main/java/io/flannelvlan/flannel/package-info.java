/**
 * flannel's networks and leases in etcd, byte for byte as flanneld reads and writes them.
 *
 * <p>Values ({@link io.flannelvlan.flannel.NetworkConfig}, {@link io.flannelvlan.flannel.Lease}),
 * their codec ({@link io.flannelvlan.flannel.FlannelJson}) and the stores over etcd. Nothing here
 * knows Docker or the kernel.
 *
 * <p>Two laws: a value that belongs to another host is never written or deleted, and a value that
 * cannot be read harms only itself: it is told apart, with the reason, and what it names stays
 * taken.
 */
@NullMarked
package io.flannelvlan.flannel;

import org.jspecify.annotations.NullMarked;
