package io.flannelvlan.tests.away;

import java.time.Duration;

/**
 * How long etcd is away.
 *
 * @param rounds in each of them a container comes and goes on each host
 * @param apart from the begin of one to the begin of the next, if it does not last longer itself
 */
record Plan(int rounds, Duration apart) {
  static final String USAGE = "usage: ./dev away [--minutes N]";

  private static final Duration ROUND = Duration.ofMinutes(1);
  private static final int MINUTES = 60;

  /**
   * As typed.
   *
   * @throws IllegalArgumentException saying what can't be understood
   */
  static Plan parse(String... words) {
    if (words.length == 0) {
      return new Plan(MINUTES, ROUND);
    }
    if (words.length == 2 && words[0].equals("--minutes")) {
      return new Plan(Integer.parseInt(words[1]), ROUND);
    }
    throw new IllegalArgumentException("what is meant by " + String.join(" ", words) + "?");
  }
}
