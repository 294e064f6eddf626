package io.flannelvlan.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.etcd.jetcd.Watch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PrefixWatchIT {

  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final String PREFIX = "/w/";

  private final TestingEtcd server = TestingEtcd.started();
  private final Etcd writer = server.client();

  @AfterEach
  void end() {
    writer.close();
    server.close();
  }

  /** Keeps what it heard last, and every word of trouble. */
  private static final class Ear implements WatchListener<Snapshot> {

    final AtomicReference<Snapshot> last =
        new AtomicReference<>(new Snapshot(PREFIX, 0, new TreeMap<>()));
    final List<Boolean> words = new CopyOnWriteArrayList<>();

    @Override
    public void current(Snapshot state) {
      last.set(state);
      words.add(true);
    }

    @Override
    public void notCurrent(EtcdException reason) {
      words.add(false);
    }

    boolean hears(Snapshot expected) {
      return last.get().entries().equals(expected.entries());
    }
  }

  @Test
  void aStreamOfAClientThatWasReplacedMeanwhileIsBrokenFromTheStart() {
    try (Connection connection = new Connection(EtcdSettings.plain(server.endpoint()))) {
      Watch of = connection.client().getWatchClient();
      connection.renew();
      EtcdException broken =
          catchThrowableOfType(
              EtcdException.class,
              () -> {
                try (WatchStream stream = new WatchStream(of, Wire.bytes(PREFIX), 1)) {
                  stream.applyNext(new TreeMap<>(), LIMIT.multipliedBy(2));
                }
              });
      assertThat(broken.isAway()).isTrue();
    }
  }

  @Test
  void noStreamThatBeginsWhileTheConnectionIsRenewedOutlivesItUnheard() throws Exception {
    ExecutorService threads = Executors.newCachedThreadPool();
    try (Etcd etcd = server.client()) {
      for (int round = 0; round < 40; round++) {
        CyclicBarrier start = new CyclicBarrier(17);
        List<Future<Optional<WatchStream>>> begun =
            Stream.generate(() -> threads.submit(() -> begin(etcd, start))).limit(16).toList();
        start.await();
        etcd.renew();
        List<WatchStream> streams = new ArrayList<>();
        for (Future<Optional<WatchStream>> one : begun) {
          one.get().ifPresent(streams::add);
        }
        etcd.renew();
        for (WatchStream stream : streams) {
          assertThat(threads.submit(() -> stream.applyNext(new TreeMap<>(), LIMIT.multipliedBy(2))))
              .failsWithin(LIMIT)
              .withThrowableThat()
              .withCauseInstanceOf(EtcdException.class);
        }
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static Optional<WatchStream> begin(Etcd etcd, CyclicBarrier start) throws Exception {
    start.await();
    try {
      return Optional.of(etcd.stream(PREFIX, 1));
    } catch (EtcdException _) {
      return Optional.empty();
    }
  }

  @Test
  void aLongQuietIsNotTrustedAndCostsNothingButALook() {
    Ear ear = new Ear();
    Duration quiet = Duration.ofMillis(100);
    try (PrefixWatch watch = new PrefixWatch(writer, PREFIX, ear, new Random(7), quiet)) {
      Waiting.until("it looks by itself", LIMIT, () -> ear.words.size() > 5);
      writer.put("/w/a", "1");
      Waiting.until("it hears", LIMIT, () -> ear.hears(writer.range(PREFIX)));
      assertThat(watch.isCurrent()).isTrue();
    }
    assertThat(ear.words).doesNotContain(false);
  }

  @Test
  void beginsWithTheWholeStateAndFollowsPutsAndDeletes() {
    writer.put("/w/a", "1");
    writer.put("/other", "x");
    Ear ear = new Ear();
    try (PrefixWatch watch = writer.watch(PREFIX, ear)) {
      Waiting.until("first state", LIMIT, () -> ear.last.get().entries().containsKey("/w/a"));
      assertThat(watch.isCurrent()).isTrue();
      long put = writer.put("/w/b", "2");
      Waiting.until("put", LIMIT, () -> ear.hears(writer.range(PREFIX)));
      assertThat(ear.last.get().revision()).isEqualTo(put);
      writer.delete("/w/a");
      Waiting.until(
          "delete", LIMIT, () -> ear.last.get().entries().keySet().equals(Set.of("/w/b")));
    }
    int heard = ear.words.size();
    writer.put("/w/c", "3");
    assertThat(ear.words).hasSize(heard).doesNotContain(false);
  }

  @Test
  void randomWritesArriveInOrderAndComplete() {
    Random random = new Random(7);
    List<Snapshot> states = new CopyOnWriteArrayList<>();
    Ear ear = new Ear();
    WatchListener<Snapshot> listener =
        new WatchListener<>() {
          @Override
          public void current(Snapshot state) {
            states.add(state);
            ear.current(state);
          }

          @Override
          public void notCurrent(EtcdException reason) {
            ear.notCurrent(reason);
          }
        };
    try (PrefixWatch _ = writer.watch(PREFIX, listener)) {
      for (int i = 0; i < 1500; i++) {
        writeSomething(random);
      }
      Waiting.until("final state", LIMIT, () -> ear.hears(writer.range(PREFIX)));
    }
    assertThat(states.stream().map(Snapshot::revision).toList()).isSorted().doesNotHaveDuplicates();
    // Every key of every state was really the newest one at that state's revision.
    for (Snapshot state : states) {
      assertThat(state.entries().values()).allMatch(kv -> kv.modRevision() <= state.revision());
    }
  }

  @Test
  void aStreamBelowTheCompactedRevisionFailsAsCompacted() {
    long old = writer.put("/w/a", "1");
    writer.put("/w/a", "2");
    server.compact(writer.put("/w/a", "3"));

    try (WatchStream stream = writer.stream(PREFIX, old)) {
      EtcdException thrown =
          catchThrowableOfType(
              EtcdException.class, () -> stream.applyNext(new TreeMap<>(), LIMIT.multipliedBy(2)));
      assertThat(thrown.kind()).isEqualTo(EtcdException.Kind.COMPACTED);
    }
  }

  @Test
  void historyCompactedWhileTheWatchWasCutOffIsListedAgain() {
    try (TestingProxy proxy = TestingProxy.to(server.endpoint());
        Etcd reader = Etcd.open(EtcdSettings.plain(proxy.endpoint()))) {
      writer.put("/w/gone", "1");
      Ear ear = new Ear();
      try (PrefixWatch watch = reader.watch(PREFIX, ear)) {
        Waiting.until("first state", LIMIT, () -> ear.hears(writer.range(PREFIX)));
        proxy.cut();
        Waiting.until("trouble", LIMIT, () -> !watch.isCurrent());
        writer.delete("/w/gone");
        writer.put("/w/new", "1");
        server.compact(writer.put("/w/new", "2"));
        assertThat(ear.last.get().entries()).containsOnlyKeys("/w/gone");
        proxy.restore();
        Waiting.until("state of now", LIMIT, () -> ear.hears(writer.range(PREFIX)));
        assertThat(watch.isCurrent()).isTrue();
      }
      assertThat(ear.words).startsWith(true, false).endsWith(true);
    }
  }

  @Test
  void aHundredFlapsLoseNothing() throws Exception {
    Random random = new Random(11);
    try (TestingProxy proxy = TestingProxy.to(server.endpoint());
        Etcd reader = Etcd.open(EtcdSettings.plain(proxy.endpoint()))) {
      Ear ear = new Ear();
      try (PrefixWatch _ = reader.watch(PREFIX, ear)) {
        for (int flap = 0; flap < 100; flap++) {
          writeSomething(random);
          proxy.cut();
          writeSomething(random);
          if (flap % 10 == 5) {
            server.compact(writer.put("/w/mark", Integer.toString(flap)));
          }
          proxy.restore();
          Thread.sleep(random.nextInt(80));
        }
        Waiting.until("state of now", LIMIT, () -> ear.hears(writer.range(PREFIX)));
        writer.put("/w/last", "1");
        Waiting.until("and it follows", LIMIT, () -> ear.hears(writer.range(PREFIX)));
      }
    }
  }

  @Test
  void killedAndRestartedServersAreFollowedAgain() {
    Ear ear = new Ear();
    try (PrefixWatch watch = writer.watch(PREFIX, ear)) {
      for (int i = 0; i < 3; i++) {
        Waiting.until("current", LIMIT, watch::isCurrent);
        server.kill();
        Waiting.until("not current", LIMIT, () -> !watch.isCurrent());
        server.start();
        server.ctl("put", "/w/by-ctl", Integer.toString(i));
        Waiting.until(
            "state of now",
            LIMIT,
            () -> watch.isCurrent() && ear.last.get().entries().containsKey("/w/by-ctl"));
      }
    }
    // Never the same word of trouble twice in a row.
    for (int i = 1; i < ear.words.size(); i++) {
      assertThat(ear.words.get(i) || ear.words.get(i - 1)).isTrue();
    }
  }

  @Test
  void aFrozenServerMakesTheWatchSayThatItIsNotCurrent() {
    Ear ear = new Ear();
    writer.put("/w/a", "1");
    try (PrefixWatch watch = writer.watch(PREFIX, ear)) {
      Waiting.until("current", LIMIT, watch::isCurrent);
      server.freeze();
      Waiting.until("not current", LIMIT, () -> !watch.isCurrent());
      assertThat(ear.last.get().entries()).containsOnlyKeys("/w/a");
      server.thaw();
      Waiting.until("current again", LIMIT, watch::isCurrent);
    }
  }

  @Test
  void aWipedServerShowsALowerRevision() {
    for (int i = 0; i < 5; i++) {
      writer.put("/w/a", Integer.toString(i));
    }
    Ear ear = new Ear();
    try (PrefixWatch watch = writer.watch(PREFIX, ear)) {
      Waiting.until("first state", LIMIT, () -> ear.hears(writer.range(PREFIX)));
      long before = ear.last.get().revision();
      server.kill();
      server.wipe();
      Waiting.until("not current", LIMIT, () -> !watch.isCurrent());
      server.start();
      Waiting.until("current again", LIMIT, watch::isCurrent);
      Waiting.until("empty", LIMIT, () -> ear.last.get().entries().isEmpty());
      assertThat(ear.last.get().revision()).isLessThan(before);
    }
  }

  @Test
  void aListenerThatFailsHearsTheNextStateAllTheSame() {
    Ear ear = new Ear();
    WatchListener<Snapshot> brittle =
        new WatchListener<>() {
          @Override
          public void current(Snapshot state) {
            ear.current(state);
            if (state.entries().isEmpty()) {
              throw new IllegalStateException("a bug of the listener, thrown by the test");
            }
            throw new NoClassDefFoundError("of a program that was replaced, thrown by the test");
          }

          @Override
          public void notCurrent(EtcdException reason) {
            ear.notCurrent(reason);
          }
        };
    try (PrefixWatch _ = writer.watch(PREFIX, brittle)) {
      Waiting.until("none", LIMIT, () -> ear.words.contains(true));
      writer.put("/w/a", "1");
      Waiting.until("first", LIMIT, () -> ear.hears(writer.range(PREFIX)));
      writer.put("/w/a", "2");
      Waiting.until("second", LIMIT, () -> ear.hears(writer.range(PREFIX)));
    }
  }

  private void writeSomething(Random random) {
    String key = PREFIX + random.nextInt(30);
    switch (random.nextInt(4)) {
      case 0 -> writer.delete(key);
      case 1 -> writer.txn(Txn.when().put(key, "t").delete(PREFIX + random.nextInt(30) + "x"));
      default -> writer.put(key, Integer.toString(random.nextInt()));
    }
  }
}
