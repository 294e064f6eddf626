package io.flannelvlan.etcd;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * All keys with one prefix, complete, at one revision.
 *
 * <p>A list that failed or came in part never becomes one, so what is missing here is gone.
 *
 * @param revision etcd's revision then; one that is lower than an earlier snapshot's means that
 *     etcd was wiped or restored from an old copy
 * @param entries by key, in key order
 */
public record Snapshot(String prefix, long revision, SortedMap<String, KeyValue> entries) {

  public Snapshot {
    entries = Collections.unmodifiableSortedMap(new TreeMap<>(entries));
  }

  /** The part with a longer prefix. */
  public Snapshot within(String longer) {
    SortedMap<String, KeyValue> part = new TreeMap<>(entries.tailMap(longer));
    part.keySet().removeIf(key -> !key.startsWith(longer));
    return new Snapshot(longer, revision, part);
  }
}
