package io.flannelvlan.driver;

import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What Docker did not know, view after view, and since which view. Pure.
 *
 * <p>One look proves nothing: a container may be on its way up, between our answer and dockerd's
 * own note of it. So a thing is over only when two whole views in a row, the grace time apart, both
 * lack it, and neither a call nor a change touched it from the first of them on.
 *
 * @param missing the moment before the first of those views was asked for
 */
record Evidence(Map<Held, Duration> missing) {

  static final Evidence NONE = new Evidence(Map.of());

  Evidence {
    missing = Map.copyOf(missing);
  }

  /**
   * With one view more.
   *
   * @param held what this host held before the view was asked for
   * @param asked when it was asked for
   */
  Evidence and(DockerView view, Collection<Held> held, Duration asked, Calls calls) {
    Map<Held, Duration> now = new HashMap<>();
    for (Held one : held) {
      if (!view.knows(one)) {
        Duration since = missing.getOrDefault(one, asked);
        now.put(one, calls.since(one.id(), since) ? asked : since);
      }
    }
    return new Evidence(now);
  }

  /** What is over, by the view that was asked for then. */
  List<Held> over(Duration asked, Duration grace) {
    return missing.entrySet().stream()
        .filter(entry -> entry.getValue().plus(grace).compareTo(asked) <= 0)
        .map(Map.Entry::getKey)
        // Addresses before endpoints before networks: what is small first.
        .sorted(Comparator.comparing(Held::toString))
        .toList();
  }
}
