/**
 * A long absence of etcd, measured: what runs goes on, containers come and go, and once it is back
 * all hosts agree again by themselves.
 */
@NullMarked
package io.flannelvlan.tests.away;

import org.jspecify.annotations.NullMarked;
