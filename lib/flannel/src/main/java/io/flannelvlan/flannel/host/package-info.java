/**
 * The VLANs that this host takes part in: joined, kept, left.
 *
 * <p>The journal says what this host has, etcd what all hosts have; a keeper per VLAN holds the two
 * together for as long as the VLAN is here. Knows neither Docker nor the kernel.
 */
@NullMarked
package io.flannelvlan.flannel.host;

import org.jspecify.annotations.NullMarked;
