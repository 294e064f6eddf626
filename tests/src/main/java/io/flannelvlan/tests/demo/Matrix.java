package io.flannelvlan.tests.demo;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Who reaches whom, as tried, beside what ought to be. */
record Matrix(List<Member> rows, List<Target> columns, List<List<Cell>> cells) {
  /** A container, or the address that a VLAN's gateway has on one host. */
  record Target(Member member, boolean gateway) {
    String title() {
      return (gateway ? "g" : "") + member.letter();
    }

    String address() {
      return gateway ? member.gateway() : member.address();
    }
  }

  record Cell(Reach expected, Reach found) {
    boolean right() {
      return expected == found;
    }
  }

  static Matrix measure(List<Member> members) {
    List<Target> targets = targets(members);
    List<List<CompletableFuture<Cell>>> trials =
        members.stream()
            .map(from -> targets.stream().map(to -> inBackground(() -> attempt(from, to))).toList())
            .toList();
    List<List<Cell>> cells =
        trials.stream().map(row -> row.stream().map(CompletableFuture::join).toList()).toList();
    return new Matrix(members, targets, cells);
  }

  boolean right() {
    return cells.stream().flatMap(List::stream).allMatch(Cell::right);
  }

  private static List<Target> targets(List<Member> members) {
    return Stream.of(false, true)
        .flatMap(gateway -> members.stream().map(member -> new Target(member, gateway)))
        .toList();
  }

  private static Cell attempt(Member from, Target to) {
    Reach expected = from.vlan().equals(to.member().vlan()) ? Reach.ALL : Reach.NOTHING;
    Reach found =
        to.gateway()
            ? Reach.toGateway(from.container(), to.address(), expected)
            : Reach.toContainer(from.container(), to.member(), expected);
    return new Cell(expected, found);
  }

  private static <T> CompletableFuture<T> inBackground(Supplier<T> work) {
    return CompletableFuture.supplyAsync(work, Thread::startVirtualThread);
  }
}
