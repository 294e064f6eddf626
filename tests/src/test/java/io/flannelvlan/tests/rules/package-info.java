/**
 * What Docker users may ask of a VLAN, and what becomes of it when something fails, on real
 * engines.
 */
@NullMarked
package io.flannelvlan.tests.rules;

import org.jspecify.annotations.NullMarked;
