package io.flannelvlan.tests.chaos;

import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a walk is asked for; the same options give the same walk.
 *
 * @param etcds how many members etcd has; if nobody says, an odd seed means three
 */
record Options(long seed, int minutes, int steps, int etcds, Set<Kind> kinds) {
  static final String USAGE =
      "usage: ./dev chaos [--minutes N] [--steps N] [--seed S] [--etcd 1|3] [--only KIND,...] [--without KIND,...]\n"
          + "kinds: "
          + Arrays.stream(Kind.values()).map(Kind::word).collect(Collectors.joining(", "));

  /**
   * As typed.
   *
   * @throws IllegalArgumentException saying what can't be understood
   */
  static Options parse(String... words) {
    long seed = new Random().nextInt(1_000_000);
    int minutes = 30;
    int steps = Integer.MAX_VALUE;
    Optional<Integer> etcds = Optional.empty();
    Set<Kind> kinds = EnumSet.allOf(Kind.class);
    for (int i = 0; i < words.length; i += 2) {
      if (i + 1 == words.length) {
        throw new IllegalArgumentException(words[i] + " needs a value");
      }
      String value = words[i + 1];
      switch (words[i]) {
        case "--seed" -> seed = Long.parseLong(value);
        case "--minutes" -> minutes = Integer.parseInt(value);
        case "--steps" -> steps = Integer.parseInt(value);
        case "--etcd" -> etcds = Optional.of(parseMembers(value));
        case "--only" -> kinds.retainAll(parseKinds(value));
        case "--without" -> kinds.removeAll(parseKinds(value));
        default -> throw new IllegalArgumentException("there is no option " + words[i]);
      }
    }
    return new Options(seed, minutes, steps, etcds.orElse(seed % 2 == 0 ? 1 : 3), kinds);
  }

  Duration duration() {
    return Duration.ofMinutes(minutes);
  }

  /** The command that walks the same way again. */
  String command() {
    String only = kinds.size() == Kind.values().length ? "" : " --only " + words(kinds);
    return "./dev chaos --seed " + seed + " --minutes " + minutes + " --etcd " + etcds + only;
  }

  private static int parseMembers(String number) {
    return switch (number) {
      case "1" -> 1;
      case "3" -> 3;
      default -> throw new IllegalArgumentException("an etcd of the walk has 1 member or 3");
    };
  }

  private static List<Kind> parseKinds(String list) {
    return Arrays.stream(list.toLowerCase(Locale.ROOT).split(",", -1)).map(Kind::parse).toList();
  }

  private static String words(Set<Kind> kinds) {
    return kinds.isEmpty()
        ? "none"
        : kinds.stream().map(Kind::word).collect(Collectors.joining(","));
  }
}
