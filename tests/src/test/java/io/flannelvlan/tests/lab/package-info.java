/** The lab proves itself before anything is proved with it. */
@NullMarked
package io.flannelvlan.tests.lab;

import org.jspecify.annotations.NullMarked;
