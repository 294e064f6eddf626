package io.flannelvlan.tests.demo;

import java.io.Console;
import java.io.PrintStream;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What the demo writes, coloured where there is a terminal that wants it. */
final class Screen {
  private static final int GREEN = 32;
  private static final int RED = 31;
  private static final int GREY = 90;
  private static final int BOLD = 1;

  private final PrintStream out;
  private final boolean colour;

  Screen(PrintStream out) {
    this.out = out;
    boolean terminal =
        Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent();
    this.colour =
        System.getenv("CLICOLOR_FORCE") != null || (terminal && System.getenv("NO_COLOR") == null);
  }

  void say(String line) {
    out.println(line);
    out.flush();
  }

  void headline(String line) {
    say(paint(BOLD, line));
  }

  /** A user's command and where it is typed. */
  void command(String host, List<String> words) {
    say(paint(GREY, host + "$ ") + "docker " + String.join(" ", words));
  }

  void verdict(boolean right, String line) {
    say((right ? paint(GREEN, "✔ ") : paint(RED, "✘ ")) + line);
  }

  void show(Matrix matrix) {
    say("");
    headline(row("from", "address", "gateway", "host", "vlan") + "  reaches" + titles(matrix));
    for (int i = 0; i < matrix.rows().size(); i++) {
      Member from = matrix.rows().get(i);
      String left =
          row(from.letter(), from.address(), from.gateway(), from.host(), from.vlan().name());
      String cells = matrix.cells().get(i).stream().map(this::cell).collect(Collectors.joining());
      say(left + "         " + cells);
    }
    say(
        paint(GREY, "● ping and 4 MiB by TCP arrive   – nothing arrives   ")
            + paint(RED, "✘ not as it should be")
            + paint(GREY, "   gA: the gateway of A, on its host"));
    say("");
  }

  private static String row(String name, String address, String gateway, String host, String vlan) {
    return String.format("%-6s%-14s%-14s%-6s%-8s", name, address, gateway, host, vlan);
  }

  private static String titles(Matrix matrix) {
    return matrix.columns().stream()
        .map(column -> String.format("%4s", column.title()))
        .collect(Collectors.joining());
  }

  private String cell(Matrix.Cell cell) {
    String sign =
        switch (cell.found()) {
          case ALL -> "●";
          case NOTHING -> "–";
          case SOME -> "◐";
        };
    if (!cell.right()) {
      return paint(RED, "  ✘" + sign);
    }
    return paint(cell.found() == Reach.ALL ? GREEN : GREY, "   " + sign);
  }

  private String paint(int code, String text) {
    return colour ? "\033[" + code + "m" + text + "\033[0m" : text;
  }
}
