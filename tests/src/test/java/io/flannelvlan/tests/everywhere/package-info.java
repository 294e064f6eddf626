/** A VLAN's Docker network on every host, made by itself. */
@NullMarked
package io.flannelvlan.tests.everywhere;

import org.jspecify.annotations.NullMarked;
