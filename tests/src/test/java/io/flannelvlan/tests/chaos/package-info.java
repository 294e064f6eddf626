@NullMarked
package io.flannelvlan.tests.chaos;

import org.jspecify.annotations.NullMarked;
