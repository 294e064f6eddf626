/** flannel's format against recorded values, and its stores against the real etcd. */
@NullMarked
package io.flannelvlan.flannel;

import org.jspecify.annotations.NullMarked;
