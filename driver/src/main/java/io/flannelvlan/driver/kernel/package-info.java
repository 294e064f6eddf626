/**
 * The kernel side: what should be, what is, and the steps between.
 *
 * <p>{@link Desired} is built from what the handlers recorded, {@link KernelState} from one dump;
 * {@link Plan} is their pure difference and {@link Reconciler} applies it. Knows values only: no
 * Docker record and no etcd type comes in here.
 *
 * <p>Counts per VLAN: one bridge, one vxlan link. Per peer and VLAN: one neighbour, one FDB entry,
 * one route, whatever the number of its containers. Per container of this host: one veth pair.
 */
@NullMarked
package io.flannelvlan.driver.kernel;

import org.jspecify.annotations.NullMarked;
