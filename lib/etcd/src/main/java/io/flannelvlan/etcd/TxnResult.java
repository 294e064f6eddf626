package io.flannelvlan.etcd;

import java.util.Map;
import java.util.Optional;

/**
 * What became of a transaction.
 *
 * @param succeeded all guards held, everything was written
 * @param revision etcd's revision after it
 * @param current if it did not succeed: what the guarded keys held, absent keys left out
 */
public record TxnResult(boolean succeeded, long revision, Map<String, KeyValue> current) {

  public TxnResult {
    current = Map.copyOf(current);
  }

  /** What a guarded key of a failed transaction held. */
  public Optional<KeyValue> current(String key) {
    return Optional.ofNullable(current.get(key));
  }
}
