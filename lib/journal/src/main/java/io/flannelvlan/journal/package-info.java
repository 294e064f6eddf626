/**
 * This host's durable memory: tables of records in one append-only file.
 *
 * <p>Knows files, checksums and JSON. It does not know what the records mean, nor etcd, Docker or
 * the kernel.
 */
@NullMarked
package io.flannelvlan.journal;

import org.jspecify.annotations.NullMarked;
