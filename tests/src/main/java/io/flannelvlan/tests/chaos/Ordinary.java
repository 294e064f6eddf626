package io.flannelvlan.tests.chaos;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;

/** Draws what users do all day, and enters it into the model. Commands of one phase overlap. */
final class Ordinary {
  private static final int MOST_BOXES = 14;

  private final Draw draw;
  private final Model model;

  Ordinary(Draw draw, Model model) {
    this.draw = draw;
    this.model = model;
  }

  List<List<Work>> phases() {
    int boxes = model.boxes().size();
    if (boxes < 4) {
      return List.of(runs(draw.between(2, 4)));
    }
    if (boxes > MOST_BOXES) {
      return List.of(storm(6));
    }
    return switch (draw.between(0, 9)) {
      case 0, 1, 2 -> List.of(runs(draw.between(1, 4)));
      case 3, 4 -> List.of(join(storm(draw.between(2, 6)), runs(draw.between(0, 2))));
      case 5 -> List.of(toTheEnd(draw.between(2, 4)));
      case 6 -> connecting();
      case 7 -> List.of(draw.some(boxes(), 2).stream().map(Work::restart).toList());
      case 8 -> networkGoes();
      default -> networkComes();
    };
  }

  /**
   * What goes on while something else goes wrong, most of it where it does: no box of it stays.
   *
   * @param trouble the host
   */
  List<Work> meanwhile(OptionalInt trouble) {
    List<Work> work = new ArrayList<>();
    if (draw.chance(60)) {
      List<Box> near =
          boxes().stream()
              .filter(box -> trouble.isEmpty() || box.host() == trouble.getAsInt())
              .toList();
      draw.some(near, draw.between(1, 4)).forEach(box -> work.add(remove(box)));
    }
    int runs = draw.between(0, 3);
    for (int i = 0; i < runs; i++) {
      int any = draw.between(0, Model.HOSTS - 1);
      int host = draw.chance(70) ? trouble.orElse(any) : any;
      String vlan = draw.of(model.networks(host));
      work.add(
          draw.chance(50)
              ? Work.run(host, model.newName(), vlan)
              : Work.runToEnd(host, model.newName(), vlan, draw.of(List.of(0, 1, 42))));
    }
    return work;
  }

  private List<Work> runs(int count) {
    List<Work> work = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int host = draw.between(0, Model.HOSTS - 1);
      String vlan = draw.of(model.networks(host));
      String name = model.newName();
      List<String> options = new ArrayList<>();
      if (draw.chance(60)) {
        options.add("--restart always");
      }
      if (draw.chance(40)) {
        options.add("--publish " + model.newPort() + ":80");
      }
      if (draw.chance(20)) {
        options.add("--ip " + vlan + ":" + draw.between(20, 220));
      }
      work.add(Work.run(host, name, vlan, options.toArray(String[]::new)));
      model.put(new Box(host, name, List.of(vlan)));
    }
    return work;
  }

  private List<Work> storm(int most) {
    return draw.some(boxes(), most).stream().map(this::remove).toList();
  }

  private Work remove(Box box) {
    model.remove(box);
    return Work.remove(box.host(), box.name());
  }

  private List<Work> toTheEnd(int count) {
    return Stream.generate(() -> draw.between(0, Model.HOSTS - 1))
        .limit(count)
        .map(host ->
            Work.runToEnd(
                host, model.newName(), draw.of(model.networks(host)), draw.of(List.of(0, 1, 42))))
        .toList();
  }

  private List<List<Work>> connecting() {
    List<Work> work = new ArrayList<>();
    for (Box box : draw.some(boxes(), 2)) {
      List<String> others =
          model.networks(box.host()).stream().filter(v -> !box.vlans().contains(v)).toList();
      if (box.vlans().size() > 1) {
        String vlan = draw.of(box.vlans());
        work.add(Work.disconnect(box, vlan));
        model.put(box.without(vlan));
      } else if (!others.isEmpty()) {
        String vlan = draw.of(others);
        work.add(Work.connect(box, vlan));
        model.put(box.with(vlan));
      }
    }
    return List.of(work);
  }

  /** The VLAN of the anchors stays everywhere. */
  private List<List<Work>> networkGoes() {
    int host = draw.between(0, Model.HOSTS - 1);
    List<String> others = model.networks(host).stream().filter(v -> !v.equals("vlan001")).toList();
    if (others.isEmpty()) {
      return networkComes();
    }
    String vlan = draw.of(others);
    List<Work> removals = model.boxesOn(host, vlan).stream().map(this::remove).toList();
    model.removeNetwork(host, vlan);
    return List.of(removals, List.of(Work.removeNetwork(host, vlan)));
  }

  private List<List<Work>> networkComes() {
    List<Work> work = new ArrayList<>();
    for (int host = 0; host < Model.HOSTS; host++) {
      for (String vlan : Model.VLANS) {
        if (!model.networks(host).contains(vlan)) {
          work.add(Work.create(host, vlan));
          model.create(host, vlan);
        }
      }
    }
    return List.of(work, runs(1));
  }

  private List<Box> boxes() {
    return model.boxes();
  }

  private static List<Work> join(List<Work> one, List<Work> other) {
    return Stream.concat(one.stream(), other.stream()).toList();
  }
}
