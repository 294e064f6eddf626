/**
 * Questions by HTTP to a daemon on this host's own Unix socket: Docker's, or ours.
 *
 * <p>This package knows HTTP and Unix sockets, and nobody's words.
 */
@NullMarked
package io.flannelvlan.unixhttp;

import org.jspecify.annotations.NullMarked;
