package io.flannelvlan.etcd;

import io.etcd.jetcd.Client;
import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.kv.TxnResponse;
import io.etcd.jetcd.lease.LeaseTimeToLiveResponse;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.LeaseOption;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * etcd, one call at a time: each has a deadline, 2 s unless given, and fails with {@link
 * EtcdException}.
 *
 * <p>Reads are linearizable. While etcd is known to be away every call fails at once; that ends
 * within about a second of etcd's return. Safe for use by any number of threads.
 */
public final class Etcd implements AutoCloseable {

  /** The deadline of a call that gives none. */
  public static final Duration DEADLINE = Duration.ofSeconds(2);

  private final Connection connection;
  private final Heartbeat heartbeat;
  private final Calls calls;
  private final Set<PrefixWatch> watches = ConcurrentHashMap.newKeySet();

  private Etcd(Connection connection) {
    this.connection = connection;
    this.heartbeat = new Heartbeat(connection);
    this.calls = new Calls(connection, heartbeat);
  }

  /**
   * Begins to connect and returns at once, whether etcd is there or not.
   *
   * @throws IllegalArgumentException if the certificates cannot be used
   * @throws java.io.UncheckedIOException if the password file cannot be read
   */
  public static Etcd open(EtcdSettings settings) {
    return new Etcd(new Connection(settings));
  }

  public Optional<KeyValue> get(String key) {
    return get(key, DEADLINE);
  }

  public Optional<KeyValue> get(String key, Duration deadline) {
    GetResponse answer =
        calls.read("get " + key, deadline, c -> c.getKVClient().get(Wire.bytes(key)));
    return answer.getKvs().stream().findFirst().map(Wire::keyValue);
  }

  /** All keys that begin with {@code prefix}, which is no path: "/a" also finds "/ab". */
  public Snapshot range(String prefix) {
    return range(prefix, DEADLINE);
  }

  public Snapshot range(String prefix, Duration deadline) {
    GetOption all = GetOption.builder().isPrefix(true).build();
    GetResponse answer =
        calls.read("list " + prefix, deadline, c -> c.getKVClient().get(Wire.bytes(prefix), all));
    TreeMap<String, KeyValue> entries = new TreeMap<>();
    answer.getKvs().stream().map(Wire::keyValue).forEach(kv -> entries.put(kv.key(), kv));
    return new Snapshot(prefix, answer.getHeader().getRevision(), entries);
  }

  /** Writes all of {@code txn}, or nothing if one of its guards does not hold. */
  public TxnResult txn(Txn txn) {
    return txn(txn, DEADLINE);
  }

  public TxnResult txn(Txn txn, Duration deadline) {
    return result(calls.write("write " + txn.keys(), deadline, client -> commit(client, txn)));
  }

  /**
   * As {@link #txn}, a trip faster, for a write that harms nobody if etcd was frozen and carries it
   * out after this call has failed.
   */
  public TxnResult txnEvenLate(Txn txn, Duration deadline) {
    return result(
        calls.writeEvenLate("write " + txn.keys(), deadline, client -> commit(client, txn)));
  }

  private static CompletableFuture<TxnResponse> commit(Client client, Txn txn) {
    Op[] otherwise =
        txn.guards().stream()
            .map(guard -> Op.get(Wire.bytes(guard.key()), GetOption.DEFAULT))
            .toArray(Op[]::new);
    return client
        .getKVClient()
        .txn()
        .If(Wire.compares(txn))
        .Then(Wire.ops(txn))
        .Else(otherwise)
        .commit();
  }

  private static TxnResult result(TxnResponse answer) {
    Map<String, KeyValue> current = new TreeMap<>();
    answer.getGetResponses().stream()
        .flatMap(got -> got.getKvs().stream())
        .map(Wire::keyValue)
        .forEach(kv -> current.put(kv.key(), kv));
    return new TxnResult(answer.isSucceeded(), answer.getHeader().getRevision(), current);
  }

  /** Sets a key whatever it holds; returns the revision. */
  public long put(String key, String value) {
    return txn(Txn.when().put(key, value)).revision();
  }

  /** Sets a key that goes when {@code grant} ends; returns the revision. */
  public long put(String key, String value, Grant grant) {
    return txn(Txn.when().put(key, value, grant)).revision();
  }

  /** Removes a key whatever it holds; returns whether it was there. */
  public boolean delete(String key) {
    return calls
            .write("delete " + key, DEADLINE, c -> c.getKVClient().delete(Wire.bytes(key)))
            .getDeleted()
        > 0;
  }

  /** A new time to live, in whole seconds; etcd may grant a longer one than asked for. */
  public Grant grant(Duration ttl) {
    return grant(ttl, DEADLINE);
  }

  public Grant grant(Duration ttl, Duration deadline) {
    var answer =
        // One without a key ends by itself.
        calls.writeEvenLate(
            "grant of " + ttl.toSeconds() + " s",
            deadline,
            c -> c.getLeaseClient().grant(ttl.toSeconds()));
    return new Grant(answer.getID(), Duration.ofSeconds(answer.getTTL()));
  }

  /** Ends a grant and deletes every key bound to it. */
  public void revoke(Grant grant) {
    calls.write("revoke of a grant", DEADLINE, c -> c.getLeaseClient().revoke(grant.id()));
  }

  /** What is left of the grant with this id; empty if it ended. */
  public Optional<Duration> timeToLive(long grantId) {
    LeaseTimeToLiveResponse answer =
        calls.read(
            "time to live of a grant",
            DEADLINE,
            c -> c.getLeaseClient().timeToLive(grantId, LeaseOption.DEFAULT));
    return answer.getTTL() < 0
        ? Optional.empty()
        : Optional.of(Duration.ofSeconds(answer.getTTL()));
  }

  /** Follows all keys that begin with {@code prefix} until the watch is closed. */
  public PrefixWatch watch(String prefix, WatchListener<Snapshot> listener) {
    PrefixWatch watch =
        new PrefixWatch(
            this, prefix, listener, RandomGenerator.getDefault(), PrefixWatch.LONGEST_QUIET);
    watches.add(watch);
    return watch;
  }

  /**
   * Connects anew: this host's own address changed, so that the connections of before are dead,
   * though nothing says so for a while. Calls under way fail.
   */
  public void renew() {
    heartbeat.renew();
  }

  /** Where it is. */
  public List<URI> endpoints() {
    return connection.settings().endpoints();
  }

  /** Waits for an answer, at most so long; false if there was none. */
  public boolean awaitAnswer(Duration longest) {
    CountDownLatch answered = new CountDownLatch(1);
    Consumer<Health> listener =
        health -> {
          if (health.reachable()) {
            answered.countDown();
          }
        };
    onHealth(listener);
    try {
      return isReachable() || answered.await(longest.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      heartbeat.forget(listener);
    }
  }

  /** How etcd did lately; never waits. */
  public Health health() {
    return heartbeat.health();
  }

  /** True if the last thing heard from etcd was an answer; never waits. */
  public boolean isReachable() {
    return heartbeat.health().reachable();
  }

  /**
   * Tells each change between reachable and away, and the first of the two. The listener runs on
   * the thread that notices the next change, so it must not wait for etcd.
   */
  public void onHealth(Consumer<Health> listener) {
    heartbeat.onChange(listener);
  }

  void forget(PrefixWatch watch, Consumer<Health> listener) {
    watches.remove(watch);
    heartbeat.forget(listener);
  }

  WatchStream stream(String prefix, long fromRevision) {
    Client client = connection.client();
    WatchStream stream = new WatchStream(client.getWatchClient(), Wire.bytes(prefix), fromRevision);
    if (!connection.client().equals(client)) {
      // It may have begun on a client that was being closed, which tells its watches of the end
      // only if they began before: this one would be silent for ever.
      stream.close();
      throw new EtcdException(EtcdException.Kind.UNAVAILABLE, "watch: the connection was renewed");
    }
    return stream;
  }

  /** Ends all watches, and the connection. */
  @Override
  public void close() {
    watches.forEach(PrefixWatch::close);
    heartbeat.close();
    connection.close();
  }
}
