/** Tests with a real etcd and real certificates. */
@NullMarked
package io.flannelvlan.etcdserver;

import org.jspecify.annotations.NullMarked;
