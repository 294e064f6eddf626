package io.flannelvlan.tests.chaos;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** How often each fault happened, how long it took until all was right again, what was lost. */
final class Tally {
  private static final String ROW = "| %-28s | %5s | %8s | %8s | %11s | %6s |%n";

  private final Map<String, List<Outcome>> rows = new TreeMap<>();

  /**
   * Of one step.
   *
   * @param traffic of running containers; absent where they may notice
   * @param leaked addresses in etcd that nobody had in the end
   */
  record Outcome(Duration healed, Optional<Traffic.Outcome> traffic, int leaked) {}

  void add(String name, Outcome outcome) {
    rows.computeIfAbsent(name, _ -> new ArrayList<>()).add(outcome);
  }

  /** Every step of it ended with all addresses accounted for, or the walk would have. */
  String table() {
    StringBuilder table =
        new StringBuilder(
            ROW.formatted("fault", "times", "median s", "worst s", "lost/sent", "leaked"));
    table.append(ROW.formatted("---", "---:", "---:", "---:", "---:", "---:"));
    rows.forEach((name, outcomes) -> table.append(row(name, outcomes)));
    return table.toString();
  }

  private static String row(String name, List<Outcome> outcomes) {
    List<Duration> sorted = outcomes.stream().map(Outcome::healed).sorted().toList();
    int sent = outcomes.stream().flatMap(o -> o.traffic().stream()).mapToInt(t -> t.sent()).sum();
    int lost = outcomes.stream().flatMap(o -> o.traffic().stream()).mapToInt(t -> t.lost()).sum();
    return ROW.formatted(
        name,
        outcomes.size(),
        seconds(sorted.get(sorted.size() / 2)),
        seconds(sorted.getLast()),
        sent == 0 ? "-" : lost + "/" + sent,
        outcomes.stream().mapToInt(Outcome::leaked).sum());
  }

  static String seconds(Duration duration) {
    return "%.1f".formatted(duration.toMillis() / 1000.0);
  }
}
