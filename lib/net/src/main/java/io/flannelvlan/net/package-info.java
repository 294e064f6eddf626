/**
 * Addresses, CIDRs, hardware addresses and VNIs as values: parsed once at the door, valid ever
 * after.
 *
 * <p>Knows the JDK and nothing else: no kernel, no etcd, no Docker.
 */
@NullMarked
package io.flannelvlan.net;

import org.jspecify.annotations.NullMarked;
