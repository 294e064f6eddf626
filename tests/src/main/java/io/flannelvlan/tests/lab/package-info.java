/**
 * Several real Docker hosts on one machine, without touching the machine.
 *
 * <p>A lab is a tree of processes below one first process, {@code tests/lab/lab-init}, in a PID,
 * mount and network namespace of its own. That network namespace is the wire: a bridge with
 * 198.51.100.0/24, on which etcd listens at .1. A host adds its own network, PID, mount, UTS and
 * IPC namespaces and one Docker engine from a tree of its own; no link leads from the lab to the
 * machine's network. When the program that made the lab ends, however it ends, the first process
 * sees its input closed and takes everything with it.
 *
 * <p>This package knows Linux namespaces, dockerd, etcd and how the plugin is started. It knows the
 * plugin as a user does, by its program and its socket, never by its classes.
 */
@NullMarked
package io.flannelvlan.tests.lab;

import org.jspecify.annotations.NullMarked;
