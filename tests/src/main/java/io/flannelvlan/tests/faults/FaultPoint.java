package io.flannelvlan.tests.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** Counts, in the plugin's JVM, the points that it comes by, and ends it at one. */
public final class FaultPoint {

  /** As of a process that was killed. */
  private static final int KILLED = 137;

  private static final Path ORDER = Path.of(System.getProperty("faults.order", "/nowhere"));
  private static final Path LAST = ORDER.resolveSibling("faults.last");
  private static final Path SEEN = ORDER.resolveSibling("faults.seen");

  /** The order that is obeyed, and how many of its points were reached. */
  private static String obeyed = "";

  private static int reached;

  /** Who was at a point last, and whether that was the end of a change. */
  private static long last;

  private static boolean changed;

  private FaultPoint() {}

  /** The process is about to change something outside. */
  public static void before(String change) {
    reached(false, change);
  }

  /** It has. */
  public static void after(String change) {
    reached(true, change);
  }

  /**
   * What follows a point of the same thread with nothing changed between is the same point: killed
   * at either, the plugin leaves the same behind.
   */
  private static synchronized void reached(boolean after, String change) {
    List<String> order = order();
    if (order.isEmpty()) {
      return;
    }
    if (!order.getFirst().equals(obeyed)) {
      obeyed = order.getFirst();
      reached = 0;
      last = 0;
    }
    write(SEEN, change);
    long self = Thread.currentThread().threadId();
    boolean same = self == last && (changed || !after);
    last = self;
    changed = after;
    if (!same && change.matches(order.get(2)) && ++reached == Integer.parseInt(order.get(1))) {
      end((after ? "after " : "before ") + change);
    }
  }

  /** Its number among orders, the number of the point, and what changes are meant. */
  private static List<String> order() {
    try {
      return List.of(Files.readString(ORDER).split("\n", -1));
    } catch (NoSuchFileException none) {
      return List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Unless the order was taken back at this very moment. */
  private static void end(String where) {
    try {
      Files.move(ORDER, LAST, StandardCopyOption.ATOMIC_MOVE);
    } catch (NoSuchFileException takenBack) {
      return;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    write(LAST, where);
    Runtime.getRuntime().halt(KILLED);
  }

  private static void write(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
