/** The managed plugin, as docker plugin install has it, on real engines with a real registry. */
@NullMarked
package io.flannelvlan.tests.plugin;

import org.jspecify.annotations.NullMarked;
