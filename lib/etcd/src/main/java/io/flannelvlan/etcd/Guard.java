package io.flannelvlan.etcd;

import java.util.Optional;

/** A condition of a transaction on one key. */
public sealed interface Guard {

  String key();

  /** The key does not exist. */
  record Absent(String key) implements Guard {}

  /** The key exists and was last put at exactly this revision. */
  record AtRevision(String key, long modRevision) implements Guard {}

  /** The key exists with exactly this value. */
  record HasValue(String key, String value) implements Guard {}

  static Guard absent(String key) {
    return new Absent(key);
  }

  /** The key is still as it was read. */
  static Guard unchanged(KeyValue read) {
    return new AtRevision(read.key(), read.modRevision());
  }

  /** The key is still as it was read, present or not. */
  static Guard asRead(String key, Optional<KeyValue> read) {
    return read.map(Guard::unchanged).orElseGet(() -> absent(key));
  }

  static Guard hasValue(String key, String value) {
    return new HasValue(key, value);
  }
}
