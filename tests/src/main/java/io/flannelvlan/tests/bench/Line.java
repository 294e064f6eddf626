package io.flannelvlan.tests.bench;

/** One line of the table: a figure, what it is measured against, and the bound it has to keep. */
record Line(String what, String ours, String peer, double figure, Bound bound) {
  /**
   * @param most whether the figure may at most be this, else at least
   */
  record Bound(double limit, boolean most) {
    static Bound atMost(double limit) {
      return new Bound(limit, true);
    }

    static Bound atLeast(double limit) {
      return new Bound(limit, false);
    }

    boolean keptBy(double figure) {
      return most ? figure <= limit : figure >= limit;
    }
  }

  static final String HEAD =
      """
      | what | ours | peer | figure | goal | |
      | --- | --- | --- | --- | --- | --- |\
      """;

  static Line ratio(String what, Rounds.Pair pair, String peer, Bound bound) {
    return new Line(
        what,
        "%.0f ms".formatted(pair.ours().median()),
        "%s %.0f ms".formatted(peer, pair.peers().median()),
        pair.ours().median() / pair.peers().median(),
        bound);
  }

  boolean kept() {
    return bound.keptBy(figure);
  }

  @Override
  public String toString() {
    String goal = "%s %.2f".formatted(bound.most() ? "≤" : "≥", bound.limit());
    String row = "| %s | %s | %s | %.2f | %s |".formatted(what, ours, peer, figure, goal);
    return row + (kept() ? " ✔ |" : " ✘ |");
  }
}
