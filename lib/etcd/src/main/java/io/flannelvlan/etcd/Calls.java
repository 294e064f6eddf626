package io.flannelvlan.etcd;

import io.etcd.jetcd.Client;
import io.flannelvlan.etcd.EtcdException.Kind;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** One request, its deadline, and the tries that fit into it without doing anything twice. */
final class Calls {

  private static final String UNKNOWN_OUTCOME = "whether it was done is not known; ";
  private static final String NOT_SENT = "it was not sent; ";

  /** An election takes a second or so; asking much oftener only adds load. */
  private static final Duration ELECTION_PAUSE = Duration.ofMillis(100);

  /**
   * A request that reached a frozen etcd, or lies in a network that stalls, may be carried out when
   * that ends, whatever deadline it bears: of 15, 3 and 9 were. So a write follows an answer that
   * is not older than this, if need be to a question of its own.
   */
  private static final Duration FRESH = Duration.ofMillis(100);

  private final Connection connection;
  private final Heartbeat heartbeat;

  Calls(Connection connection, Heartbeat heartbeat) {
    this.connection = connection;
    this.heartbeat = heartbeat;
  }

  /** A request that changes nothing, so that it may be sent again. */
  <T> T read(String what, Duration deadline, Function<Client, CompletableFuture<T>> request) {
    return new Call<>(what, deadline, request, Nature.READ).run();
  }

  /** A request that is sent again only if etcd certainly did not act on it. */
  <T> T write(String what, Duration deadline, Function<Client, CompletableFuture<T>> request) {
    return new Call<>(what, deadline, request, Nature.WRITE).run();
  }

  /** A write that harms nobody if it is carried out long after it failed here: one trip less. */
  <T> T writeEvenLate(
      String what, Duration deadline, Function<Client, CompletableFuture<T>> request) {
    return new Call<>(what, deadline, request, Nature.WRITE_EVEN_LATE).run();
  }

  private enum Nature {
    READ,
    WRITE,
    WRITE_EVEN_LATE
  }

  private final class Call<T> {

    private final String what;
    private final Duration deadline;
    private final Function<Client, CompletableFuture<T>> request;
    private final Nature nature;
    private final long start = System.nanoTime();
    private int tries;
    private boolean sent;
    private long sentAt = start;

    Call(
        String what,
        Duration deadline,
        Function<Client, CompletableFuture<T>> request,
        Nature nature) {
      this.what = what;
      this.deadline = deadline;
      this.request = request;
      this.nature = nature;
    }

    T run() {
      if (heartbeat.health().isAway()) {
        throw heartbeat.away(what);
      }
      try {
        while (true) {
          tries++;
          try {
            if (nature == Nature.WRITE && !isFresh()) {
              askFirst();
            }
            sent = true;
            sentAt = System.nanoTime();
            T answer = connection.call(remaining(), request);
            heartbeat.succeeded();
            return answer;
          } catch (ExecutionException e) {
            Failure failure = Failure.of(e.getCause() == null ? e : e.getCause());
            if (!worthAnotherTry(failure)) {
              throw failed(failure, e);
            }
          } catch (TimeoutException e) {
            throw failed(new Failure(Kind.TIMEOUT, ""), e);
          }
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new EtcdException(Kind.OTHER, "interrupted: " + what, e);
      }
    }

    /** Whether etcd is there: not frozen, that is, to carry out later what failed here. */
    private void askFirst() throws ExecutionException, TimeoutException, InterruptedException {
      try {
        connection.call(remaining(), Heartbeat::ask);
      } catch (ExecutionException e) {
        // A user may read its own keys alone. A no is an answer, too.
        if (Failure.of(e.getCause() == null ? e : e.getCause()).kind() != Kind.REFUSED) {
          throw e;
        }
      }
      heartbeat.succeeded();
    }

    private boolean isFresh() {
      Health health = heartbeat.health();
      return health.reachable() && System.nanoTime() - health.lastSuccess() < FRESH.toNanos();
    }

    private Duration remaining() {
      Duration left = deadline.minusNanos(System.nanoTime() - start);
      return left.isPositive() ? left : Duration.ofMillis(1);
    }

    private boolean worthAnotherTry(Failure failure) throws InterruptedException {
      boolean safe = nature == Nature.READ || !sent || failure.refusedBeforeActing();
      if (!safe || remaining().compareTo(ELECTION_PAUSE) <= 0) {
        return false;
      }
      if (failure.isStaleToken()) {
        // The client has dropped its token on seeing this and logs in again.
        return tries < 3;
      }
      if (failure.kind() != Kind.UNAVAILABLE) {
        return false;
      }
      if (failure.isBetweenLeaders()) {
        Thread.sleep(ELECTION_PAUSE);
        return true;
      }
      return tries < connection.settings().endpoints().size();
    }

    private EtcdException failed(Failure failure, Exception cause) {
      if (failure.kind() == Kind.UNAVAILABLE || failure.kind() == Kind.TIMEOUT) {
        heartbeat.failed(sentAt, failure.words().isEmpty() ? "no answer" : failure.words());
      } else {
        heartbeat.succeeded();
      }
      String at = what + " at etcd " + connection.settings().endpoints() + ": ";
      String text =
          switch (failure.kind()) {
            case UNAVAILABLE -> at + failure.words() + "; " + connection.settings().advice();
            case TIMEOUT ->
                at
                    + ("no answer within " + deadline.toMillis() + " ms; ")
                    + (nature == Nature.READ ? "" : sent ? UNKNOWN_OUTCOME : NOT_SENT)
                    + "check etcd's load, its disk and the network";
            case REFUSED ->
                at + failure.words() + "; check the user, its role and the certificates";
            case COMPACTED, OTHER -> at + failure.words();
          };
      return new EtcdException(failure.kind(), text, cause);
    }
  }
}
