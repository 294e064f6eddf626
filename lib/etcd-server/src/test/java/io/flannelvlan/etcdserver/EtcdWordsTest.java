package io.flannelvlan.etcdserver;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Lines of etcd 3.4.23 and 3.5.30, on disks that are full or read-only, and on newer data. */
class EtcdWordsTest {

  private static EtcdWords of(String... lines) {
    EtcdWords words = new EtcdWords();
    for (String line : lines) {
      words.hear(line);
    }
    return words;
  }

  @Test
  void whatEndedItCountsWithoutItsTimeAndItsStackTrace() {
    String fatal =
        "{\"level\":\"fatal\",\"ts\":\"2026-11-28T11:14:02.745Z\",\"caller\":\"backend/batch_tx.go:248\","
            + "\"msg\":\"failed to commit tx\",\"error\":\"write /s/db: no space left on device\","
            + "\"stacktrace\":\"go.etcd.io/etcd/mvcc/backend.(*batchTx).commit\\n\\tgo.etcd.io\"}";
    String warning =
        "{\"level\":\"warn\",\"ts\":\"2026-11-28T11:14:01.714Z\",\"caller\":\"auth/store.go:1380\","
            + "\"msg\":\"simple token is not cryptographically signed\"}";
    assertThat(of(warning, fatal).reason())
        .isEqualTo("failed to commit tx: write /s/db: no space left on device");
    assertThat(of(fatal, warning).reason()).startsWith("failed to commit tx");
  }

  @Test
  void ofAPanicItsFirstLineCounts() {
    assertThat(
            of(
                    "panic: truncate /s/db: no space left on device",
                    "",
                    "goroutine 1 [running]:",
                    "\tgo.etcd.io/etcd/etcdserver/backend.go:73 +0x12a")
                .reason())
        .isEqualTo("truncate /s/db: no space left on device");
  }

  @Test
  void withoutEitherTheLastLineCounts() {
    assertThat(of().reason()).isEqualTo("it gave no reason");
    assertThat(of("{\"level\":\"warn\",\"msg\":\"rejected connection\"}").reason())
        .isEqualTo("it gave no reason");
    assertThat(of("flag provided but not defined: -x", "").reason())
        .isEqualTo("flag provided but not defined: -x");
  }

  @Test
  void newerDataAreNamed() {
    EtcdWords words =
        of(
            "{\"level\":\"fatal\",\"ts\":\"2026-11-28T11:11:36.460Z\",\"caller\":\"membership/cluster.go:795\","
                + "\"msg\":\"invalid downgrade; server version is lower than determined cluster version\","
                + "\"current-server-version\":\"3.4.23\",\"determined-cluster-version\":\"3.5\"}");
    assertThat(words.newerData()).hasValue(new EtcdVersion(3, 5, "3.5"));
    assertThat(of("anything").newerData()).isEmpty();
  }
}
