package io.flannelvlan.tests.lab;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How long a plugin's handlers took, by its own log, since this was made. */
public final class HandlerTimes {
  /**
   * Milliseconds: what a handler may take at most that needs nothing of etcd, while etcd is away.
   * One that waits for etcd takes the 2 s which that has to answer. For a machine that has other
   * tests to run: {@link Host#pluginFirst}.
   */
  public static final double MOST = 1000;

  private static final Pattern ANSWERED =
      Pattern.compile("(?:IpamDriver|NetworkDriver)\\.[A-Za-z]+ .*in ([0-9.]+) ms");

  private final Host host;
  private final int start;

  public HandlerTimes(Host host) {
    this.host = host;
    this.start = host.plugin().log().length();
  }

  /**
   * The slowest, in milliseconds.
   *
   * @throws IllegalStateException if there was none at all
   */
  public double slowest() {
    List<Double> all = sorted();
    if (all.isEmpty()) {
      throw new IllegalStateException("no handler was called");
    }
    return all.getLast();
  }

  /** All of them in milliseconds, the slowest last. */
  public List<Double> sorted() {
    Matcher answered = ANSWERED.matcher(host.plugin().log().substring(start));
    return answered.results().map(found -> Double.parseDouble(found.group(1))).sorted().toList();
  }
}
