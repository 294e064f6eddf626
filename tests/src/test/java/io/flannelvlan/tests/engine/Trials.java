package io.flannelvlan.tests.engine;

import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Protocol;
import io.flannelvlan.tests.lab.Station;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiPredicate;
import java.util.stream.Collectors;

/**
 * Many paths tried at once, so that the closed ones cost their time-outs only once. The open ones
 * come back as "a1 to b2".
 */
final class Trials {
  private Trials() {}

  /** Where these containers are, by their names. */
  static Map<String, String> addresses(Container... containers) {
    return Arrays.stream(containers)
        .collect(Collectors.toMap(Container::name, Container::address, (a, _) -> a, TreeMap::new));
  }

  /** Who pings which of these places. */
  static Set<String> pings(List<? extends Station> from, Map<String, String> places) {
    return open(from, places, (station, to) -> station.pings(to.getValue()));
  }

  /** Who gets an answer by TCP from which of these places, whoever it is that answers. */
  static Set<String> asks(List<? extends Station> from, Map<String, String> places) {
    return open(from, places, (station, to) -> station.whoAnswers(to.getValue()).isPresent());
  }

  /** Who meets the container with that name at its place, by TCP. */
  static Set<String> finds(List<? extends Station> from, Map<String, String> places) {
    return open(from, places, (station, to) -> meets(station, to.getKey(), to.getValue()));
  }

  /** Who gets an answer by UDP from that port of which of these places. */
  static Set<String> asksByUdp(List<? extends Station> from, Map<String, String> places, int port) {
    return open(
        from, places, (station, to) -> station.ask(Protocol.UDP, to.getValue(), port).isPresent());
  }

  /** Who gets 4 MiB intact from which of these containers, by TCP. */
  static Set<String> downloads(List<? extends Station> from, Map<String, String> places) {
    return open(
        from,
        places,
        (station, to) ->
            meets(station, to.getKey(), to.getValue()) && station.downloads(to.getValue()));
  }

  private static boolean meets(Station from, String name, String at) {
    return from.whoAnswers(at).filter(name::equals).isPresent();
  }

  private static Set<String> open(
      List<? extends Station> from,
      Map<String, String> places,
      BiPredicate<Station, Map.Entry<String, String>> path) {
    Map<String, CompletableFuture<Boolean>> trials = new TreeMap<>();
    for (Station station : from) {
      for (Map.Entry<String, String> to : places.entrySet()) {
        trials.put(
            station.name() + " to " + to.getKey(),
            CompletableFuture.supplyAsync(
                () -> path.test(station, to), Thread::startVirtualThread));
      }
    }
    return trials.entrySet().stream()
        .filter(trial -> trial.getValue().join())
        .map(Map.Entry::getKey)
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
