/**
 * The Container Network Interface as a plugin speaks it: environment and configuration become
 * values, values become the result of the version that was asked for.
 *
 * <p>This package knows the specification, and neither the kernel nor where a call came from.
 *
 * @see <a href="https://github.com/containernetworking/cni/blob/main/SPEC.md">the specification</a>
 */
@NullMarked
package io.flannelvlan.cni;

import org.jspecify.annotations.NullMarked;
