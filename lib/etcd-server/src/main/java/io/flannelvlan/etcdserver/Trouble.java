package io.flannelvlan.etcdserver;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Something that fails and is tried again, ever more seldom, for as long as it takes; each reason
 * is said once. For one thread.
 */
final class Trouble {

  private static final Logger LOG = LoggerFactory.getLogger(Trouble.class);

  private final String what;
  private final Duration first;
  private final Duration longest;
  private final Set<String> said = new HashSet<>();
  private Duration pause;
  private long due = System.nanoTime();

  Trouble(String what, Duration first, Duration longest) {
    this.what = what;
    this.first = first;
    this.longest = longest;
    this.pause = first;
  }

  /** What the system says, with the file that it is about. */
  static String reason(IOException e) {
    // Of these exceptions, those without a reason have nothing but the file's name as message.
    boolean bare = e instanceof FileSystemException file && file.getReason() == null;
    return bare || e.getMessage() == null ? e.toString() : e.getMessage();
  }

  void is(String reason) {
    if (said.add(reason)) {
      LOG.error("{}: {}", what, reason);
    }
    due = System.nanoTime() + pause.toNanos();
    Duration doubled = pause.multipliedBy(2);
    pause = doubled.compareTo(longest) < 0 ? doubled : longest;
  }

  void isOver() {
    if (!said.isEmpty()) {
      LOG.info("{}: all is well again", what);
    }
    said.clear();
    pause = first;
  }

  /** Until it is to be tried again. */
  Duration rest() {
    return Duration.ofNanos(Math.max(0, due - System.nanoTime()));
  }
}
