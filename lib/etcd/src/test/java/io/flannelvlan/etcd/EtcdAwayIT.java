package io.flannelvlan.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** What callers see while etcd is not there, and after. */
class EtcdAwayIT {

  private static final Duration LIMIT = Duration.ofSeconds(5);

  /** What a machine with other work may add. */
  private static final Duration BUSY = Duration.ofSeconds(3);

  @Test
  void neverStarted() {
    try (TestingEtcd server = TestingEtcd.neverStarted();
        Etcd etcd = server.client()) {
      long start = System.nanoTime();
      EtcdException away = fails(() -> etcd.get("/some/key"));

      assertThat(elapsed(start)).isLessThan(Etcd.DEADLINE.plus(BUSY));
      assertThat(away.kind()).isEqualTo(EtcdException.Kind.UNAVAILABLE);
      assertThat(away)
          .hasMessageContaining("/some/key")
          .hasMessageContaining(server.endpoint().toString());
      assertThat(etcd.isReachable()).isFalse();
    }
  }

  @Test
  void anEtcdThatIsAwayIsAskedAFewTimesASecondAndNotWithoutPause() {
    try (TestingEtcd server = TestingEtcd.neverStarted();
        Etcd etcd = server.client()) {
      fails(() -> etcd.get("/some/key"));
      Set<Long> failures = new HashSet<>();
      long end = System.nanoTime() + Duration.ofSeconds(2).toNanos();
      Waiting.until(
          "two seconds are over",
          LIMIT,
          () -> {
            failures.add(etcd.health().lastFailure());
            return System.nanoTime() > end;
          });
      assertThat(failures).hasSizeBetween(3, 20);
    }
  }

  @Test
  void whileAwayCallsFailAtOnceAndAfterwardsTheyWorkSoon() {
    try (TestingEtcd server = TestingEtcd.started();
        Etcd etcd = server.client()) {
      etcd.put("/k", "v");
      server.kill();
      fails(() -> etcd.get("/k"));
      // Long enough for the client library's own back-off to grow beyond the limit.
      long end = System.nanoTime() + Duration.ofSeconds(12).toNanos();
      Duration slowest = Duration.ZERO;
      while (System.nanoTime() < end) {
        long start = System.nanoTime();
        fails(() -> etcd.get("/k"));
        slowest = longer(slowest, elapsed(start));
      }
      assertThat(slowest).isLessThan(Etcd.DEADLINE);

      server.start();
      Waiting.until("calls work", LIMIT, () -> works(() -> etcd.get("/k")));

      assertThat(etcd.get("/k")).map(KeyValue::value).contains("v");
      assertThat(etcd.isReachable()).isTrue();
    }
  }

  @Test
  void aFrozenEtcdCostsOneDeadlineAndIsNoticedWithoutAnyCall() {
    try (TestingEtcd server = TestingEtcd.started();
        Etcd etcd = server.client()) {
      etcd.put("/k", "v");
      server.freeze();
      Waiting.until("away is noticed", Duration.ofSeconds(10), () -> !etcd.isReachable());

      long start = System.nanoTime();
      fails(() -> etcd.get("/k"));
      assertThat(elapsed(start)).isLessThan(Etcd.DEADLINE);

      server.thaw();
      Waiting.until("calls work", LIMIT, () -> works(() -> etcd.get("/k")));
    }
  }

  @Test
  void aCallIntoAFrozenEtcdEndsAtItsOwnDeadline() {
    try (TestingEtcd server = TestingEtcd.started();
        Etcd etcd = server.client()) {
      etcd.put("/k", "v");
      server.freeze();
      long start = System.nanoTime();
      EtcdException late = fails(() -> etcd.get("/k", Duration.ofMillis(700)));

      assertThat(late.kind()).isEqualTo(EtcdException.Kind.TIMEOUT);
      assertThat(elapsed(start)).isBetween(Duration.ofMillis(600), Etcd.DEADLINE);
      server.thaw();
    }
  }

  @Test
  void aWriteThatFailedWhileEtcdWasDownDoesNotHappenWhenItReturns() {
    try (TestingEtcd server = TestingEtcd.started();
        Etcd etcd = server.client()) {
      etcd.put("/k", "v");
      server.kill();
      for (int i = 0; i < 50; i++) {
        String key = "/late/" + i;
        fails(() -> etcd.put(key, "v"));
      }
      server.start();
      Waiting.until("calls work", LIMIT, () -> works(() -> etcd.get("/k")));
      etcd.put("/fence", "1");

      assertThat(etcd.range("/late/").entries()).isEmpty();
      assertThat(etcd.get("/fence").get().modRevision()).isEqualTo(3);
    }
  }

  @Test
  void aWriteIntoAFrozenEtcdDoesNotHappenWhenItThaws() throws Exception {
    try (TestingEtcd server = TestingEtcd.started();
        Etcd etcd = server.client()) {
      for (int i = 0; i < 10; i++) {
        String key = "/late/" + i;
        Waiting.until("calls work", LIMIT, () -> works(() -> etcd.get("/k")));
        server.freeze();
        Thread.sleep(150);
        fails(() -> etcd.txn(Txn.when(Guard.absent(key)).put(key, "v"), Duration.ofMillis(300)));
        server.thaw();
      }
      Waiting.until("calls work", LIMIT, () -> works(() -> etcd.get("/k")));
      Thread.sleep(500);
      assertThat(etcd.range("/late/").entries()).isEmpty();
    }
  }

  @Test
  void aWriteIntoAStalledNetworkDoesNotHappenWhenItFlowsAgain() throws Exception {
    try (TestingEtcd server = TestingEtcd.started();
        TestingProxy proxy = TestingProxy.to(server.endpoint());
        Etcd etcd = Etcd.open(EtcdSettings.plain(proxy.endpoint()))) {
      for (int i = 0; i < 10; i++) {
        String key = "/late/" + i;
        Waiting.until("calls work", LIMIT, () -> works(() -> etcd.get("/k")));
        proxy.stall();
        Thread.sleep(150);
        fails(() -> etcd.txn(Txn.when(Guard.absent(key)).put(key, "v"), Duration.ofMillis(300)));
        proxy.flow();
      }
      Waiting.until("calls work", LIMIT, () -> works(() -> etcd.get("/k")));
      Thread.sleep(500);
      assertThat(etcd.range("/late/").entries()).isEmpty();
    }
  }

  @Test
  void healthTellsEachChangeOnce() {
    List<Boolean> told = new CopyOnWriteArrayList<>();
    try (TestingEtcd server = TestingEtcd.started();
        Etcd etcd = server.client()) {
      etcd.onHealth(health -> told.add(health.reachable()));
      Waiting.until("reachable is told", LIMIT, () -> told.equals(List.of(true)));
      server.kill();
      Waiting.until("away is told", LIMIT, () -> told.equals(List.of(true, false)));
      server.start();
      Waiting.until("back is told", LIMIT, () -> told.equals(List.of(true, false, true)));
    }
  }

  @Test
  void aRefusedLoginSaysSo() throws Exception {
    try (TestingEtcd server = TestingEtcd.started()) {
      server.ctl("user", "add", "root:secret");
      server.ctl("user", "grant-role", "root", "root");
      server.ctl("auth", "enable");
      try (Etcd etcd = server.client()) {
        assertThat(fails(() -> etcd.get("/k")).kind()).isEqualTo(EtcdException.Kind.REFUSED);
        assertThat(etcd.isReachable()).isTrue();
      }
      try (Etcd etcd = Etcd.open(server.settings("root", "wrong"))) {
        assertThat(fails(() -> etcd.get("/k")).kind()).isEqualTo(EtcdException.Kind.REFUSED);
      }
      try (Etcd etcd = Etcd.open(server.settings("root", "secret"))) {
        etcd.put("/k", "v");
        assertThat(etcd.get("/k")).isPresent();
      }
    }
  }

  private static EtcdException fails(Runnable call) {
    EtcdException thrown = catchThrowableOfType(EtcdException.class, call::run);
    assertThat(thrown).isNotNull();
    return thrown;
  }

  private static boolean works(Runnable call) {
    try {
      call.run();
      return true;
    } catch (EtcdException _) {
      return false;
    }
  }

  private static Duration elapsed(long start) {
    return Duration.ofNanos(System.nanoTime() - start);
  }

  private static Duration longer(Duration one, Duration other) {
    return one.compareTo(other) >= 0 ? one : other;
  }
}
