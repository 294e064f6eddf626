package io.flannelvlan.tests.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.faults.Faults;
import io.flannelvlan.tests.faults.FaultyProgram;
import io.flannelvlan.tests.invariants.Invariants;
import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** A host whose plugin is ended in the middle of its work, again and again. */
final class Victim {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final Duration QUIET = Duration.ofMillis(60);

  /** What was written is there for the next process, whether forced or not. */
  private static final String EVERYTHING = "(?!force |begin in Nft).*";

  /** With which a journal is rewritten at the next one; its header counts for one here. */
  private static final int COMMITS = 4096;

  private static final String ENGINE = "the engine of old";

  private final Host host;
  private final Faults faults;
  private final Invariants invariants;
  private final Path engineSocket;
  private boolean longJournal;

  /** Calls that are made one after the other. */
  interface Course {
    boolean isOver();

    /** What comes next, for people. */
    String next();

    /**
     * Makes the next call; made again after it was lost, it must succeed.
     *
     * @return false if the plugin ended while it had to answer
     */
    boolean step();

    /** Whoever made the lost call does not make it again, and behaves as he does then. */
    void giveUp();
  }

  Victim(Lab lab, Host host, FaultyProgram program) {
    this.host = host;
    this.faults = Faults.of(program, host);
    this.invariants = Invariants.ofRecords(lab, host);
    this.engineSocket = host.srv().resolve("docker.sock");
    host.setting("DOCKER_HOST", "unix://" + engineSocket).setting("RECLAIM_AFTER", "1s");
    host.plugin().start();
  }

  Host host() {
    return host;
  }

  /** A Docker that is known, and knows nothing any more; until it is closed. */
  StubEngine emptyDocker() {
    return new StubEngine(engineSocket, ENGINE, Optional.empty());
  }

  /** The plugin finds out which Docker it serves: the one with this network, which it has. */
  void learnDocker(String network) {
    try (StubEngine _ = new StubEngine(engineSocket, ENGINE, Optional.of(network))) {
      Await.until(PATIENCE, () -> "Docker stays unknown", () -> journal().contains(ENGINE));
    }
  }

  private String journal() {
    try {
      return Files.readString(host.stateDir().resolve("journal"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Which of the points of a call is its end.
   *
   * @param change a pattern; which points count
   * @param calls which calls are meant
   */
  record End(int point, String change, Predicate<String> calls) {
    static End at(int point) {
      return new End(point, EVERYTHING, _ -> true);
    }
  }

  /**
   * Goes the course to its end, and ends the plugin once in each call.
   *
   * @param lost what becomes of the course when a call was lost
   * @return the kills
   */
  List<String> go(Course course, End end, Consumer<Course> lost) {
    List<String> killed = new ArrayList<>();
    Set<String> had = new HashSet<>();
    while (!course.isOver()) {
      String call = course.next();
      boolean meant = end.calls.test(call) && !had.contains(call);
      if (meant && longJournal) {
        host.plugin().kill();
        revive();
      }
      faults.endAt(meant ? end.point : 0, end.change);
      boolean answered = course.step();
      if (answered) {
        awaitQuiet(() -> true);
      }
      if (!faults.goOn()) {
        had.add(call);
        killed.add(told(call, end.point));
        revive();
        if (!answered) {
          lost.accept(course);
        }
      }
    }
    return killed;
  }

  /**
   * The same with a journal that has become so long that the first commit of each call that is
   * meant rewrites it.
   */
  List<String> goWithLongJournal(Course course, End end, Consumer<Course> lost) {
    longJournal = true;
    try {
      return go(course, end, lost);
    } finally {
      longJournal = false;
    }
  }

  /** Ends it at this point of a start; it may have none that is so late. */
  Optional<String> endInStart(int point) {
    host.plugin().kill();
    faults.endAt(point, EVERYTHING);
    host.plugin().launch();
    awaitQuiet(this::isUp);
    return faults.goOn() ? Optional.empty() : Optional.of(told("start", point));
  }

  private String told(String call, int point) {
    Await.until(PATIENCE, () -> host.name() + "'s plugin lives", () -> !host.plugin().alive());
    String one = call + ", " + point + ": " + faults.point();
    System.out.println(one);
    return one;
  }

  /** The plugin begins where it ended, and is done with it. */
  void revive() {
    if (longJournal) {
      lengthenJournal();
    }
    faults.watch();
    host.plugin().start();
    awaitQuiet(this::isUp);
    faults.goOn();
  }

  /** Then what goes on in the background has come to an end, too. */
  private void awaitQuiet(BooleanSupplier other) {
    Await.until(
        PATIENCE,
        () -> host.name() + "'s plugin is busy",
        () -> !host.plugin().alive() || (other.getAsBoolean() && faults.isQuiet(QUIET)));
  }

  /** The last socket is listened at. */
  private boolean isUp() {
    return Wire.answers(host.runDir().resolve("admin.sock"));
  }

  /** By its last commit over and over, which changes nothing more. */
  private void lengthenJournal() {
    List<String> lines = journal().lines().toList();
    int missing = COMMITS - lines.size();
    if (missing > 0) {
      try {
        Files.writeString(
            host.stateDir().resolve("journal"),
            (lines.getLast() + "\n").repeat(missing),
            StandardOpenOption.APPEND);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  void again(Course course) {
    assertThat(course.step()).as("answered: " + course.next()).isTrue();
  }

  void recordsAgree() {
    invariants.awaitHeld(PATIENCE);
  }
}
