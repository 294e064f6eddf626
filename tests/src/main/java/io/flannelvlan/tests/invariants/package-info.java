/**
 * What must hold on every host at any quiet moment: etcd, the journal, dockerd and the kernel tell
 * the same of addresses, endpoints, leases and ports, and packets go where they should.
 *
 * <p>Looks from outside, as an operator would; knows the lab, and no class of the daemon.
 */
@NullMarked
package io.flannelvlan.tests.invariants;

import org.jspecify.annotations.NullMarked;
