package io.flannelvlan.driver;

import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.journal.Table;
import java.util.Optional;

/**
 * Which engine at DOCKER_HOST is the one that we serve: the one that has shown a network of ours.
 * Another engine, or podman in Docker's clothes, knows none of them, and that must not be taken for
 * their end.
 */
final class KnownEngine {

  private static final String KEY = "docker";

  /** The journal's record. */
  record Engine(String id) {}

  private final Journal journal;
  private final Table<Engine> table;

  KnownEngine(Journal journal) {
    this.journal = journal;
    this.table = journal.table("engine", Engine.class);
  }

  boolean is(String id) {
    return table.get(KEY).equals(Optional.of(new Engine(id)));
  }

  /** Whether there was ever one. */
  boolean isAny() {
    return table.get(KEY).isPresent();
  }

  /** That engine has shown a network of ours. */
  void learn(String id) {
    if (!is(id)) {
      journal.commit(new Batch().put(table, KEY, new Engine(id)));
    }
  }
}
