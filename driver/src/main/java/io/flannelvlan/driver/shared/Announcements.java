package io.flannelvlan.driver.shared;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * How long VLANs have been announced whose makers have yet to say more. Their time runs only while
 * etcd is there: without it a maker can neither describe the network nor take the VLAN back.
 *
 * <p>By the clock of this host alone; not for several threads.
 */
public final class Announcements {

  /** After this long the maker is gone for good, and the VLAN's own name will do. */
  public static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Map<String, Duration> since = new HashMap<>();

  /**
   * What etcd shows.
   *
   * @param now a time that only grows
   */
  public void shown(Map<String, SharedNetwork> words, Duration now) {
    since.keySet().removeIf(vlan -> !(words.get(vlan) instanceof SharedNetwork.Announced));
    words.forEach((vlan, word) -> {
      if (word instanceof SharedNetwork.Announced) {
        since.putIfAbsent(vlan, now);
      }
    });
  }

  /** Etcd shows nothing. */
  public void etcdIsAway() {
    since.clear();
  }

  /** The VLANs of which nobody will say more. */
  public Set<String> overdue(Duration now) {
    return since.entrySet().stream()
        .filter(each -> now.minus(each.getValue()).compareTo(PATIENCE) >= 0)
        .map(Map.Entry::getKey)
        .collect(Collectors.toSet());
  }

  /** Whether one is waited for. */
  public boolean isAny() {
    return !since.isEmpty();
  }
}
