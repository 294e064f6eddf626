package io.flannelvlan.etcd;

import io.etcd.jetcd.Client;
import io.etcd.jetcd.kv.GetResponse;
import io.flannelvlan.etcd.EtcdException.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows whether etcd answers, so that callers need not find out one deadline at a time.
 *
 * <p>A quiet connection is asked every few seconds, which notices a frozen etcd. After a failure
 * only this thread asks, several times a second, and every other call fails at once until etcd has
 * answered.
 */
final class Heartbeat implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Heartbeat.class);

  /** The key that etcd's own health check reads; it need not exist. */
  private static final String KEY = "health";

  private static final Duration QUIET = Duration.ofSeconds(3);
  private static final Duration AWAY_PAUSE = Duration.ofMillis(300);
  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(2);
  private static final Duration FIRST_RENEWAL_PAUSE = Duration.ofMillis(600);
  private static final Duration LONGEST_RENEWAL_PAUSE = Duration.ofSeconds(5);

  private final Connection connection;
  private final AtomicReference<Health> health = new AtomicReference<>(Health.UNKNOWN);
  private final List<Consumer<Health>> listeners = new CopyOnWriteArrayList<>();
  private final Semaphore wake = new Semaphore(0);
  private final Thread thread;
  private volatile boolean closed;

  // Only touched by the heartbeat's thread.
  private Health announced = Health.UNKNOWN;
  private Duration renewalPause = FIRST_RENEWAL_PAUSE;
  private long lastRenewal = System.nanoTime();

  Heartbeat(Connection connection) {
    this.connection = connection;
    this.thread = Thread.ofVirtual().name("etcd-heartbeat").start(this::run);
  }

  Health health() {
    return health.get();
  }

  /** Tells every change between reachable and away, on the heartbeat's thread. */
  void onChange(Consumer<Health> listener) {
    listeners.add(listener);
  }

  void forget(Consumer<Health> listener) {
    listeners.remove(listener);
  }

  void succeeded() {
    Health before = health.getAndUpdate(h -> h.succeeded(System.nanoTime()));
    if (!before.reachable()) {
      wake.release();
    }
  }

  /** A call that began at {@code start} got no answer; one that began later may have got one. */
  void failed(long start, String reason) {
    Health before =
        health.getAndUpdate(h ->
            h.lastSuccess() != 0 && h.lastSuccess() - start > 0
                ? h
                : h.failed(System.nanoTime(), reason));
    if (!before.isAway()) {
      wake.release();
    }
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    if (Thread.currentThread() == thread) {
      return;
    }
    try {
      // A renewal under way would leave a connection behind.
      thread.join(CLOSE_PATIENCE);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try {
      while (!closed) {
        Health now = health.get();
        if (!now.reachable() || quietLeft(now).isNegative()) {
          beat();
        }
        announce();
        sleep();
      }
    } catch (InterruptedException _) {
      // closed
    }
  }

  private void sleep() throws InterruptedException {
    Health now = health.get();
    Duration pause = now.reachable() ? quietLeft(now).plusMillis(1) : AWAY_PAUSE;
    if (wake.tryAcquire(pause.toNanos(), TimeUnit.NANOSECONDS)) {
      wake.drainPermits();
    }
  }

  /** How long the connection may stay quiet from now on. */
  private static Duration quietLeft(Health now) {
    return QUIET.minusNanos(System.nanoTime() - now.lastSuccess());
  }

  private void beat() throws InterruptedException {
    long start = System.nanoTime();
    try {
      connection.call(Etcd.DEADLINE, Heartbeat::ask);
      succeeded();
    } catch (TimeoutException _) {
      failed(start, "no answer");
    } catch (ExecutionException e) {
      Failure failure = Failure.of(e.getCause() == null ? e : e.getCause());
      switch (failure.kind()) {
        case UNAVAILABLE -> {
          failed(start, reason(failure));
          renewIfItListens();
        }
        case TIMEOUT -> failed(start, "no answer");
        // A no is an answer; the calls themselves will tell their callers.
        case REFUSED, COMPACTED, OTHER -> succeeded();
      }
    }
  }

  private String reason(Failure failure) {
    return Certificates.fault(connection.settings(), Instant.now())
        .map(fault -> failure.words() + "; " + fault)
        .orElseGet(failure::words);
  }

  /** A question that only a working cluster answers. */
  static CompletableFuture<GetResponse> ask(Client client) {
    return client.getKVClient().get(Wire.bytes(KEY));
  }

  private void renewIfItListens() {
    long since = System.nanoTime() - lastRenewal;
    if (since < renewalPause.toNanos() || !connection.isListening()) {
      return;
    }
    renewalPause =
        renewalPause.multipliedBy(2).compareTo(LONGEST_RENEWAL_PAUSE) < 0
            ? renewalPause.multipliedBy(2)
            : LONGEST_RENEWAL_PAUSE;
    lastRenewal = System.nanoTime();
    renew();
  }

  /** Leaves the connections as they are and makes new ones; safe from any thread. */
  void renew() {
    try {
      connection.renew();
      wake.release();
    } catch (RuntimeException e) {
      // Certificate files may be half replaced at this moment; the old ones stay in use.
      LOG.warn("etcd connection cannot be renewed: {}", e.getMessage());
    }
  }

  private void announce() {
    Health now = health.get();
    boolean first = announced.equals(Health.UNKNOWN);
    if (now.reachable() == announced.reachable() && (!first || !now.isAway())) {
      return;
    }
    announced = now;
    if (now.reachable()) {
      renewalPause = FIRST_RENEWAL_PAUSE;
      LOG.info("etcd answers at {}", connection.settings().endpoints());
    } else {
      LOG.warn("etcd is away at {}: {}", connection.settings().endpoints(), now.reason());
    }
    listeners.forEach(listener -> tell(listener, now));
  }

  private static void tell(Consumer<Health> listener, Health now) {
    try {
      listener.accept(now);
    } catch (RuntimeException e) {
      // One listener's bug must not stop the heart.
      LOG.error("a listener failed on etcd being {}", now.reachable() ? "back" : "away", e);
    }
  }

  /** The exception for a call that is not even tried. */
  EtcdException away(String call) {
    return new EtcdException(
        Kind.UNAVAILABLE,
        "etcd is away at "
            + connection.settings().endpoints()
            + " ("
            + health.get().reason()
            + "), "
            + call
            + " was not tried: "
            + connection.settings().advice());
  }
}
