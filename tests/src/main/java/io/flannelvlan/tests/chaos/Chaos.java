package io.flannelvlan.tests.chaos;

import io.flannelvlan.tests.invariants.Invariants;
import io.flannelvlan.tests.lab.Hardware;
import io.flannelvlan.tests.lab.LabException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Walks, tells every step, and ends with 0 only if all invariants came to hold after each. */
public final class Chaos {
  private final Options options;
  private final PrintStream out;
  private final long start = System.nanoTime();
  private final Tally tally = new Tally();

  Chaos(Options options, PrintStream out) {
    this.options = options;
    this.out = out;
  }

  public static void main(String[] arguments) {
    Locale.setDefault(Locale.ROOT);
    Options options;
    try {
      options = Options.parse(arguments);
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage() + "\n" + Options.USAGE);
      System.exit(2);
      return;
    }
    System.exit(new Chaos(options, System.out).walk() ? 0 : 1);
  }

  /** Whether all held from the beginning to the end. */
  boolean walk() {
    out.println(Hardware.text() + "\n" + options.command());
    try (Scene scene = new Scene(options.etcds())) {
      boolean held = walk(scene);
      out.println("\n" + tally.table());
      return held;
    }
  }

  private boolean walk(Scene scene) {
    Model model = new Model();
    FirewalldFaults firewalld = new FirewalldFaults(scene.hosts());
    Walk walk = new Walk(new Draw(options.seed()), model, faults(scene, model, firewalld));
    try {
      scene.furnish(model);
      scene.etcd().save("chaos");
      say("three hosts, three VLANs");
      Invariants invariants = Invariants.of(scene.lab(), scene.etcd());
      invariants.awaitHeld();
      for (int i = 1; i <= options.steps() && elapsed().compareTo(options.duration()) < 0; i++) {
        Step step = walk.next();
        step(scene, invariants, i, step, firewalld.effect(step));
      }
      return true;
    } catch (RuntimeException e) {
      report(scene, e);
      return false;
    }
  }

  private void step(Scene scene, Invariants invariants, int number, Step step, Effect effect) {
    say(number + ". " + step);
    Optional<Traffic> traffic =
        effect != Effect.RESTART ? Optional.of(new Traffic(scene)) : Optional.empty();
    step.play(scene);
    Duration healed = invariants.awaitHeld();
    Optional<Traffic.Outcome> outcome = traffic.map(Traffic::end);
    tally.add(step.name(), new Tally.Outcome(healed, outcome, invariants.leaked().size()));
    say(
        "   all held after "
            + Tally.seconds(healed)
            + " s"
            + outcome.map(o -> "; lost " + o.lost() + " of " + o.sent() + " packets").orElse(""));
    if (effect == Effect.NONE && outcome.filter(o -> o.lost() > 0).isPresent()) {
      throw new LabException("packets were lost");
    }
  }

  private List<Fault> faults(Scene scene, Model model, FirewalldFaults firewalld) {
    List<Fault> all = new ArrayList<>(new DaemonFaults(scene.hosts()).all());
    all.addAll(new DiskFaults(scene.hosts()).all());
    all.addAll(new UnderlayFaults(scene.hosts()).all());
    all.addAll(firewalld.all());
    all.addAll(new EtcdFaults(scene.etcd()).all());
    all.addAll(new KeyFaults(scene.etcd(), scene.hosts(), model).all());
    all.addAll(new KernelFaults(scene.hosts(), model).all());
    return all.stream().filter(fault -> options.kinds().contains(fault.kind())).toList();
  }

  private void report(Scene scene, RuntimeException broken) {
    say("BROKEN " + broken.getMessage());
    Path logs = scene.lab().dir().resolveSibling("chaos-seed-" + options.seed());
    scene.lab().copyLogs(logs);
    new Evidence(scene).write(logs);
    out.println("\nlogs and what stood on each host: " + logs);
    out.println("to walk the same way again: " + options.command());
  }

  private Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - start);
  }

  private void say(String line) {
    out.println("[%7.1f s] %s".formatted(elapsed().toMillis() / 1000.0, line));
    out.flush();
  }
}
