/**
 * Docker's IpamDriver: which pool, which address.
 *
 * <p>Allocates in this host's own leases only, so that no two hosts can give out one address. Knows
 * Docker's IPAM records, this host's VLANs, the journal and the address keys in etcd; it does not
 * know the kernel.
 */
@NullMarked
package io.flannelvlan.ipam;

import org.jspecify.annotations.NullMarked;
