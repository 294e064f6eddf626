/**
 * etcd v3: get, range, transaction, grant and watch, each with a deadline of its own.
 *
 * <p>The only package that imports the client library (jetcd on gRPC). It knows keys, values and
 * revisions, and nothing of what they mean.
 *
 * <p>Three habits of the client are overruled here. A call that waits for a connection would run
 * when etcd returns, long after its caller gave up: calls never wait, their deadline travels with
 * them to the server, and a write is sent only to an etcd that answered just before. A connection
 * that failed for long is tried again only every two minutes: while etcd is away we knock ourselves
 * ({@link io.flannelvlan.etcd.Heartbeat}). A watch that lost its stream resumes from a revision it
 * only believes in: ours starts from a fresh list ({@link io.flannelvlan.etcd.PrefixWatch}).
 */
@NullMarked
package io.flannelvlan.etcd;

import org.jspecify.annotations.NullMarked;
