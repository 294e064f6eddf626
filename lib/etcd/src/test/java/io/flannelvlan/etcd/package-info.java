/** The real etcd and a connection to it that can be cut, for the tests of every module. */
@NullMarked
package io.flannelvlan.etcd;

import org.jspecify.annotations.NullMarked;
