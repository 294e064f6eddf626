package io.flannelvlan.firewall;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.function.BiFunction;

/** Who of a {@link Testbed} reaches whom. */
final class Matrix {

  /** Rows ask, columns answer; the last six are further addresses of h1. */
  static final String EXPECTED =
      """
            a1  b c1 c2  d i1  j  k h1 h2 out rogue g1 g2 g3 f1 f2 dk
         a1  +  +  .  .  .  .  .  .  +  +   +     +  +  .  .  +  .  +
          b  +  +  .  .  .  .  .  .  +  +   +     +  +  .  .  +  .  .
         c1  .  .  +  +  +  .  .  .  +  +   +     +  .  +  .  .  +  +
         c2  .  .  +  +  +  .  .  .  +  +   +     +  .  +  .  .  +  +
          d  .  .  +  +  +  .  .  .  +  +   +     +  .  +  .  .  +  .
         i1  .  .  .  .  .  +  +  .  .  .   .     .  .  .  +  .  .  .
          j  .  .  .  .  .  +  +  .  .  .   .     .  .  .  +  .  .  .
          k  .  .  .  .  .  .  .  +  +  .   .     +  +  +  +  +  +  +
         h1  +  +  +  +  +  +  +  +  +  +   +     +  +  +  +  +  +  +
         h2  +  +  +  +  +  +  +  .  +  +   +     +  +  +  +  +  +  .
        out  .  .  .  .  .  .  .  .  +  +   +     +  .  .  .  .  .  .
      rogue  .  .  .  .  .  .  .  .  +  +   +     +  +  +  +  +  +  +
      """;

  private Matrix() {}

  static String of(Testbed bed, BiFunction<Netns, String, FutureTask<String>> ask) {
    List<Testbed.Node> targets = new ArrayList<>(Testbed.NODES);
    targets.add(new Testbed.Node("g1", "10.1.20.1"));
    targets.add(new Testbed.Node("g2", "10.2.20.1"));
    targets.add(new Testbed.Node("g3", "10.3.20.1"));
    targets.add(new Testbed.Node("f1", "10.1.20.0"));
    targets.add(new Testbed.Node("f2", "10.2.20.0"));
    targets.add(new Testbed.Node("dk", "172.17.0.1"));
    List<List<FutureTask<String>>> rows =
        Testbed.NODES.stream()
            .map(from ->
                targets.stream()
                    .map(to -> ask.apply(bed.namespace(from.name()), to.address()))
                    .toList())
            .toList();
    StringBuilder text = new StringBuilder("     ");
    targets.forEach(target -> text.append(" %2s".formatted(target.name())));
    for (int row = 0; row < rows.size(); row++) {
      text.append("\n%5s".formatted(Testbed.NODES.get(row).name()));
      for (int column = 0; column < targets.size(); column++) {
        boolean reached = !Netns.result(rows.get(row).get(column)).equals(Client.NOTHING);
        int width = Math.max(2, targets.get(column).name().length());
        text.append(" ".repeat(width)).append(reached ? '+' : '.');
      }
    }
    return text.append('\n').toString();
  }
}
