package io.flannelvlan.driver.kernel;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What of a plan is left for a later pass; pure. */
final class Waits {

  private Waits() {}

  /** Without the deletions of links, but for those that make room for their own replacement. */
  static List<Change> chores(List<Change> changes) {
    Set<String> replaced =
        changes.stream()
            .flatMap(
                c -> c instanceof Change.AddLink a ? Stream.of(a.link().name()) : Stream.empty())
            .collect(Collectors.toSet());
    return changes.stream()
        .filter(c -> !(c instanceof Change.DeleteLink gone) || replaced.contains(gone.link()))
        .toList();
  }

  /**
   * Without links that are not there yet, and all that would come upon them; what would make room
   * for one stays where it is.
   *
   * @param mayCome whether those of this VLAN may
   */
  static List<Change> newLinks(List<Change> changes, Predicate<String> mayCome) {
    Set<String> added =
        changes.stream()
            .filter(change -> !mayCome.test(change.vlan()))
            .flatMap(change ->
                switch (change) {
                  case Change.AddLink add -> Stream.of(add.link().name());
                  case Change.AddVeth add -> Stream.of(add.hostEnd().name(), add.peerName());
                  default -> Stream.empty();
                })
            .collect(Collectors.toSet());
    return changes.stream()
        .filter(change -> onto(change).filter(added::contains).isEmpty())
        .toList();
  }

  private static Optional<String> onto(Change change) {
    return switch (change) {
      case Change.AddLink add -> Optional.of(add.link().name());
      case Change.DeleteLink gone -> Optional.of(gone.link());
      case Change.AddVeth add -> Optional.of(add.hostEnd().name());
      case Change.PutSetting put -> Optional.of(put.setting().link());
      case Change.AddAddress add -> Optional.of(add.address().link());
      case Change.PutNeighbor put -> Optional.of(put.neighbor().link());
      case Change.PutFdb put -> Optional.of(put.entry().link());
      case Change.PutRoute put -> Optional.of(put.route().link());
      default -> Optional.empty();
    };
  }
}
