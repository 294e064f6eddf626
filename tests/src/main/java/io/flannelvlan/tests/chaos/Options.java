package io.flannelvlan.tests.chaos;

import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/** What a walk is asked for; the same options give the same walk. */
record Options(long seed, int minutes, int steps, Set<Kind> kinds) {
  static final String USAGE =
      "usage: ./dev chaos [--minutes N] [--steps N] [--seed S] [--only KIND,...] [--without KIND,...]\n"
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
        case "--only" -> kinds.retainAll(parseKinds(value));
        case "--without" -> kinds.removeAll(parseKinds(value));
        default -> throw new IllegalArgumentException("there is no option " + words[i]);
      }
    }
    return new Options(seed, minutes, steps, kinds);
  }

  Duration duration() {
    return Duration.ofMinutes(minutes);
  }

  /** The command that walks the same way again. */
  String command() {
    String only = kinds.size() == Kind.values().length ? "" : " --only " + words(kinds);
    return "./dev chaos --seed " + seed + " --minutes " + minutes + only;
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
