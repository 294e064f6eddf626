package io.flannelvlan.tests.chaos;

import io.flannelvlan.tests.chaos.Fault.Strike;
import io.flannelvlan.tests.lab.Await;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What happens until everything must be right again, with every decision taken. */
sealed interface Step {
  /** Whose row of the table it counts in. */
  String name();

  /** What running containers may notice. */
  Effect effect();

  void play(Scene scene);

  /** Ordinary work; the commands of one phase overlap, and all must succeed. */
  record Day(List<List<Work>> phases) implements Step {
    @Override
    public String name() {
      return "ordinary work";
    }

    @Override
    public Effect effect() {
      return Effect.NONE;
    }

    @Override
    public void play(Scene scene) {
      phases.forEach(phase -> joinAll(scene.begin(phase, false)));
    }

    @Override
    public String toString() {
      return name() + said(phases.stream().flatMap(Collection::stream).toList());
    }
  }

  /**
   * A fault, and what goes on around it.
   *
   * @param head how long the work has begun before; if none, it begins when the harm is done
   * @param length how long the fault lasts, unless the work is done sooner
   */
  record Trouble(
      Fault fault, Strike strike, List<Work> work, Optional<Duration> head, Duration length)
      implements Step {
    @Override
    public String name() {
      return fault.name();
    }

    @Override
    public Effect effect() {
      return fault.effect();
    }

    @Override
    public void play(Scene scene) {
      List<CompletableFuture<Void>> running =
          head.map(_ -> scene.begin(work, strike.refuses())).orElse(List.of());
      head.ifPresent(limit -> Await.within(limit, () -> over(running)));
      strike.begin().run();
      List<CompletableFuture<Void>> all =
          head.isPresent() ? running : scene.begin(work, strike.refuses());
      Await.within(length, () -> over(all) && !all.isEmpty());
      strike.end().run();
      joinAll(all);
      work.forEach(one -> scene.removeForSure(one.host(), one.container()));
    }

    private static boolean over(List<CompletableFuture<Void>> running) {
      return running.stream().allMatch(CompletableFuture::isDone);
    }

    @Override
    public String toString() {
      String first = strike.where().isEmpty() ? "" : " " + strike.where();
      String when =
          head.map(d -> ", %d ms after the work began".formatted(d.toMillis())).orElse("");
      return name() + first + when + ", for %d ms".formatted(length.toMillis()) + said(work);
    }
  }

  private static void joinAll(List<CompletableFuture<Void>> running) {
    // The others are let come to their end first: what they do belongs to this step.
    running.forEach(one -> one.exceptionally(_ -> null).join());
    running.forEach(CompletableFuture::join);
  }

  private static String said(List<Work> work) {
    return Stream.concat(Stream.of(""), work.stream().map(Work::toString))
        .collect(Collectors.joining("\n             "));
  }
}
