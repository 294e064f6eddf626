/**
 * The daemon: Docker's NetworkDriver verbs over this host's networks and endpoints, its settings,
 * its start and its end.
 *
 * <p>Handlers here record wishes in the journal and wait for the reconciler; only {@code
 * driver.kernel} changes the kernel.
 */
@NullMarked
package io.flannelvlan.driver;

import org.jspecify.annotations.NullMarked;
