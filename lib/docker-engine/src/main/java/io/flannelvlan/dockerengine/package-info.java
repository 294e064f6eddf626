/**
 * Docker's API, as far as we ask: which networks and endpoints the engine has.
 *
 * <p>Never to be called while dockerd waits for us: it may hold the very lock that the answer
 * needs. This package knows HTTP and Docker's JSON, and nothing of the plugin.
 */
@NullMarked
package io.flannelvlan.dockerengine;

import org.jspecify.annotations.NullMarked;
