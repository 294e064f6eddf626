/**
 * What we cost beside what our peers cost: Docker's bridge driver on the same engine, and a VXLAN
 * made by hand. Only ratios of one run count, taken in turns, for machines differ and are busy.
 */
@NullMarked
package io.flannelvlan.tests.bench;

import org.jspecify.annotations.NullMarked;
