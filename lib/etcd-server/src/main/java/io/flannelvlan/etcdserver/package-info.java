/**
 * The etcd that the plugin carries for those who have none: its process, its data, its
 * certificates, and the one line that lets another host in.
 *
 * <p>Knows etcd's command line and TLS. It does not know what is kept in etcd.
 */
@NullMarked
package io.flannelvlan.etcdserver;

import org.jspecify.annotations.NullMarked;
