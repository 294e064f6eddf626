/** The VLANs for pods: CNI's executable, called as runtimes call it, and by runtimes. */
@NullMarked
package io.flannelvlan.tests.cni;

import org.jspecify.annotations.NullMarked;
