package io.flannelvlan.driver.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What became of one pass.
 *
 * @param applied the steps that the kernel took
 * @param failures what still stands in the way, by VLAN; {@link #EVERYTHING} where it concerns all
 * @param state the last dump, and what was applied since
 */
public record Outcome(List<Change> applied, Map<String, List<String>> failures, KernelState state) {

  /** The key of failures that are no single VLAN's, such as a dump that went wrong. */
  public static final String EVERYTHING = "*";

  public Outcome {
    applied = List.copyOf(applied);
    failures = Map.copyOf(failures);
  }

  /** Whether a link of this name is there. */
  public boolean has(String link) {
    return state.link(link).isPresent();
  }

  /** What went wrong for this VLAN; empty if all is as it should be. */
  public List<String> failuresOf(String vlan) {
    List<String> all = new ArrayList<>(failures.getOrDefault(EVERYTHING, List.of()));
    all.addAll(failures.getOrDefault(vlan, List.of()));
    return all;
  }
}
