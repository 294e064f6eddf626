package io.flannelvlan.journal;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The records of one kind, by key, as the last commit left them. Reading takes no lock; writing is
 * {@link Journal#commit}'s.
 */
public final class Table<T extends Record> {

  private final String name;
  private final Map<String, T> records = new ConcurrentHashMap<>();

  Table(String name) {
    this.name = name;
  }

  public Optional<T> get(String key) {
    return Optional.ofNullable(records.get(key));
  }

  /** The records at this moment, in no order. */
  public Collection<T> values() {
    return List.copyOf(records.values());
  }

  String name() {
    return name;
  }

  Map<String, T> records() {
    return records;
  }
}
