package io.flannelvlan.etcd;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What to write if all guards hold; nothing otherwise.
 *
 * <p>A caller whose transaction timed out does not know whether it happened, so write it such that
 * doing it again is harmless.
 */
public record Txn(List<Guard> guards, List<Write> writes) {

  /** One effect of a transaction. */
  public sealed interface Write {

    String key();

    /** Sets a value; a put without a grant takes the key out of an earlier one. */
    record Put(String key, String value, Optional<Grant> grant) implements Write {}

    /** Removes the key if it is there. */
    record Delete(String key) implements Write {}
  }

  public Txn {
    guards = List.copyOf(guards);
    writes = List.copyOf(writes);
  }

  public static Txn when(Guard... guards) {
    return new Txn(List.of(guards), List.of());
  }

  public Txn put(String key, String value) {
    return with(new Write.Put(key, value, Optional.empty()));
  }

  public Txn put(String key, String value, Grant grant) {
    return with(new Write.Put(key, value, Optional.of(grant)));
  }

  public Txn delete(String key) {
    return with(new Write.Delete(key));
  }

  private Txn with(Write write) {
    List<Write> longer = new ArrayList<>(writes);
    longer.add(write);
    return new Txn(guards, longer);
  }

  /** The keys touched, for messages. */
  String keys() {
    return Stream.concat(writes.stream().map(Write::key), guards.stream().map(Guard::key))
        .distinct()
        .reduce((a, b) -> a + ", " + b)
        .orElse("no key");
  }
}
