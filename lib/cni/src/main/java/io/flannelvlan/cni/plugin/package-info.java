/**
 * The executable that a runtime starts for each call, {@code flannelvlan-cni}.
 *
 * <p>It asks the daemon and prints its answer. It is started for every pod, so it knows as little
 * as can be: the variables, standard input, and the daemon's socket.
 */
@NullMarked
package io.flannelvlan.cni.plugin;

import org.jspecify.annotations.NullMarked;
