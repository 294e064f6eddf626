package io.flannelvlan.tests.invariants;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Collects what does not agree about somebody, both sides named. */
record Differences(String about, List<String> all) {
  void add(String complaint) {
    all.add(about + ": " + complaint);
  }

  void each(String complaint, Stream<String> objects) {
    objects.forEach(object -> add(complaint + object));
  }

  void compare(
      String what, String leftName, Stream<String> left, String rightName, Stream<String> right) {
    Set<String> onlyLeft = left.collect(Collectors.toCollection(TreeSet::new));
    Set<String> onlyRight = right.collect(Collectors.toCollection(TreeSet::new));
    Set<String> both = new TreeSet<>(onlyLeft);
    both.retainAll(onlyRight);
    onlyLeft.removeAll(both);
    onlyRight.removeAll(both);
    if (!onlyLeft.isEmpty()) {
      add(what + ": in " + leftName + " and not in " + rightName + ": " + onlyLeft);
    }
    if (!onlyRight.isEmpty()) {
      add(what + ": in " + rightName + " and not in " + leftName + ": " + onlyRight);
    }
  }
}
