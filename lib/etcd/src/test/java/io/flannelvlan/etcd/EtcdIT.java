package io.flannelvlan.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class EtcdIT {

  private static final TestingEtcd SERVER = TestingEtcd.started();
  private static final Etcd ETCD = SERVER.client();

  @AfterAll
  static void end() {
    ETCD.close();
    SERVER.close();
  }

  @Test
  void getSeesThePutWithItsRevisions() {
    long first = ETCD.put("/a/one", "1");
    long second = ETCD.put("/a/one", "zwei €");

    assertThat(ETCD.get("/a/one")).contains(new KeyValue("/a/one", "zwei €", first, second, 0));
    assertThat(ETCD.get("/a/none")).isEmpty();
  }

  @Test
  void rangeHoldsExactlyTheKeysWithThePrefixInOrder() {
    ETCD.put("/r/x", "1");
    ETCD.put("/r/subnets/b", "2");
    ETCD.put("/r/subnets-meta", "3");
    ETCD.put("/r/subnett", "4");

    Snapshot snapshot = ETCD.range("/r/subnets");

    assertThat(snapshot.entries().keySet()).containsExactly("/r/subnets-meta", "/r/subnets/b");
    assertThat(snapshot.revision())
        .isGreaterThanOrEqualTo(ETCD.get("/r/subnett").get().modRevision());
    assertThat(ETCD.range("/nothing/").entries()).isEmpty();
  }

  @Test
  void aTransactionWhoseGuardFailsWritesNothingAndShowsWhatIsThere() {
    ETCD.put("/t/held", "theirs");

    TxnResult result =
        ETCD.txn(
            Txn.when(Guard.absent("/t/held"), Guard.absent("/t/free"))
                .put("/t/held", "mine")
                .put("/t/free", "mine"));

    assertThat(result.succeeded()).isFalse();
    assertThat(result.current("/t/held")).map(KeyValue::value).contains("theirs");
    assertThat(result.current("/t/free")).isEmpty();
    assertThat(ETCD.get("/t/free")).isEmpty();
  }

  @Test
  void guardsOnRevisionAndValueHoldOnlyForWhatWasRead() {
    ETCD.put("/g/k", "old");
    KeyValue read = ETCD.get("/g/k").get();
    ETCD.put("/g/k", "new");

    assertThat(ETCD.txn(Txn.when(Guard.unchanged(read)).delete("/g/k")).succeeded()).isFalse();
    assertThat(ETCD.txn(Txn.when(Guard.hasValue("/g/k", "old")).delete("/g/k")).succeeded())
        .isFalse();
    assertThat(ETCD.txn(Txn.when(Guard.hasValue("/g/k", "new")).delete("/g/k")).succeeded())
        .isTrue();
    assertThat(ETCD.delete("/g/k")).isFalse();
  }

  @Test
  void aKeyGoesWithItsGrant() {
    Grant grant = ETCD.grant(Duration.ofSeconds(60));
    ETCD.put("/l/k", "v", grant);

    assertThat(ETCD.get("/l/k").get().grant()).isEqualTo(grant.id());
    assertThat(ETCD.timeToLive(grant.id()).get())
        .isBetween(Duration.ofSeconds(50), Duration.ofSeconds(60));

    ETCD.revoke(grant);

    assertThat(ETCD.get("/l/k")).isEmpty();
    assertThat(ETCD.timeToLive(grant.id())).isEmpty();
    assertThatThrownBy(() -> ETCD.put("/l/k", "v", grant))
        .isInstanceOfSatisfying(
            EtcdException.class, e -> assertThat(e.kind()).isEqualTo(EtcdException.Kind.OTHER))
        .hasMessageContaining("/l/k")
        .hasMessageContaining("lease not found");
  }

  @Test
  void ofManyCreatorsOfOneKeyExactlyOneWins() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int round = 0; round < 20; round++) {
        String key = "/race/" + round;
        List<Callable<Boolean>> creators =
            IntStream.range(0, 8)
                .<Callable<Boolean>>mapToObj(i ->
                    () -> ETCD.txn(Txn.when(Guard.absent(key)).put(key, "host" + i)).succeeded())
                .toList();
        int winners = 0;
        for (Future<Boolean> creation : threads.invokeAll(creators)) {
          winners += creation.get() ? 1 : 0;
        }
        assertThat(winners).isEqualTo(1);
      }
    }
  }

  @Test
  void aListOfSeveralMegabytesComesWhole() {
    String value = "x".repeat(100_000);
    IntStream.range(0, 80).forEach(i -> ETCD.put("/big/" + i, value));

    assertThat(ETCD.range("/big/").entries()).hasSize(80);
  }
}
