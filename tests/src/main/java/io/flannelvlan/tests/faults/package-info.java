/**
 * Ends the plugin at a point of a test's choice, as {@code kill -9} would: points are woven into a
 * copy of the program, so that the plugin itself knows nothing of it. One class is all that its JVM
 * sees.
 */
@NullMarked
package io.flannelvlan.tests.faults;

import org.jspecify.annotations.NullMarked;
