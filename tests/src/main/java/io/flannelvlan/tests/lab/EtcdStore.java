package io.flannelvlan.tests.lab;

import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What hosts have in common: an etcd, or several that hold one store. */
public sealed interface EtcdStore permits Etcd, EtcdCluster {
  Duration PATIENCE = Duration.ofSeconds(30);

  /** All of them, whether they run or not. */
  List<Etcd> members();

  /** Any command of etcdctl, answered by one of those that run. */
  Result etcdctl(String... words);

  /** For the setting ETCD_ENDPOINTS. */
  default String endpoints() {
    return members().stream().map(Etcd::endpoint).collect(Collectors.joining(","));
  }

  default void put(String key, String value) {
    etcdctl("put", "--", key, value).orThrow();
  }

  default Optional<String> get(String key) {
    String value = etcdctl("get", "--print-value-only", "--", key).orThrow().text();
    return value.isEmpty() ? Optional.empty() : Optional.of(value);
  }

  default List<String> keys(String prefix) {
    Result result = etcdctl("get", "--prefix", "--keys-only", "--", prefix).orThrow();
    return result.out().lines().filter(line -> !line.isBlank()).toList();
  }

  /** Keys and values in one go; a value has one line. */
  default Map<String, String> entries(String prefix) {
    Map<String, String> all = new TreeMap<>();
    Iterator<String> lines =
        etcdctl("get", "--prefix", "--", prefix).orThrow().out().lines().iterator();
    while (lines.hasNext()) {
      all.put(lines.next(), lines.hasNext() ? lines.next() : "");
    }
    return all;
  }

  default void delete(String key) {
    etcdctl("del", "--", key).orThrow();
  }

  /** Starts all, and waits until it can be used; of several none is ready before another. */
  default void start() {
    members().forEach(member -> member.daemon().launch());
    Await.until(
        PATIENCE,
        () -> "etcd is not ready" + members().getFirst().daemon().tail(),
        () -> members().stream().allMatch(Etcd::isHealthy));
  }

  default void stop() {
    members().forEach(member -> member.daemon().stop());
  }

  default void kill() {
    members().forEach(member -> member.daemon().kill());
  }

  default void freeze() {
    members().forEach(member -> member.daemon().freeze());
  }

  default void thaw() {
    members().forEach(member -> member.daemon().thaw());
  }

  /** Keeps what it holds now in a file of that name, for {@link #restore}. */
  default void save(String name) {
    members().getFirst().snapshot("save", name);
  }

  /** Restarts it with what it held at {@link #save}: its revisions begin again from there. */
  default void restore(String name) {
    stop();
    for (Etcd member : members()) {
      member.takeSnapshotOf(members().getFirst(), name);
      member.snapshot("restore", name);
    }
    start();
  }

  /** Restarts it with nothing. */
  default void wipe() {
    stop();
    members().forEach(Etcd::forget);
    start();
  }
}
