@NullMarked
package io.flannelvlan.tests.away;

import org.jspecify.annotations.NullMarked;
