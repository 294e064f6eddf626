package io.flannelvlan.journal;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Changes that reach the disk together or not at all. */
public final class Batch {

  /** One record put, or removed where {@code value} is absent. */
  record Change<T extends Record>(Table<T> table, String key, Optional<T> value) {
    void apply() {
      value.ifPresentOrElse(v -> table.records().put(key, v), () -> table.records().remove(key));
    }
  }

  private final List<Change<?>> changes = new ArrayList<>();
  private boolean givingBack;

  public <T extends Record> Batch put(Table<T> table, String key, T value) {
    changes.add(new Change<>(table, key, Optional.of(value)));
    return this;
  }

  public <T extends Record> Batch remove(Table<T> table, String key) {
    changes.add(new Change<>(table, key, Optional.empty()));
    return this;
  }

  /**
   * Says that all this ends something: Docker forgets it whatever we answer, so a disk that takes
   * nothing must not keep it alive here.
   */
  public Batch givingBack() {
    givingBack = true;
    return this;
  }

  boolean isGivingBack() {
    return givingBack;
  }

  List<Change<?>> changes() {
    return changes;
  }
}
