/**
 * A walk at random, and by its seed repeatable, over a day's work and everything that goes wrong in
 * production; after each step all invariants must come to hold by themselves.
 */
@NullMarked
package io.flannelvlan.tests.chaos;

import org.jspecify.annotations.NullMarked;
