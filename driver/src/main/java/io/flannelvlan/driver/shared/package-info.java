/**
 * One Docker network per VLAN on every host: what etcd says of it, and what this host has to do.
 *
 * <p>Knows etcd's keys and decides; it calls nobody's API.
 */
@NullMarked
package io.flannelvlan.driver.shared;

import org.jspecify.annotations.NullMarked;
