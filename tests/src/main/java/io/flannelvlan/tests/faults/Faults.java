package io.flannelvlan.tests.faults;

import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LabException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;

/** The orders for one host's plugin, from the outside: it ends at the point that they name. */
public final class Faults {

  private final Path directory;
  private final Path order;
  private int orders;

  private Faults(Path directory) {
    this.directory = directory;
    this.order = directory.resolve("faults.order");
  }

  /** From its next start on, that host's plugin is this program and obeys. */
  public static Faults of(FaultyProgram program, Host host) {
    Faults faults = new Faults(host.srv());
    host.runs(program.path(), Host.cached(program.cache()), "-Dfaults.order=" + faults.order);
    return faults;
  }

  /**
   * From now on it ends at the point of this number, the next being the first.
   *
   * @param change a pattern; which changes' points count
   */
  public void endAt(int point, String change) {
    Path next = directory.resolve("faults.next");
    try {
      Files.writeString(directory.resolve("faults.seen"), "");
      Files.writeString(next, ++orders + "\n" + point + "\n" + change);
      // Whole, since it may be read at any moment.
      Files.move(next, order, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new LabException("cannot write " + order, e);
    }
  }

  /** From now on it is only looked at. */
  public void watch() {
    endAt(0, "");
  }

  /** Whether it has an order, and has come by no point for so long. */
  public boolean isQuiet(Duration time) {
    try {
      long last = Files.getLastModifiedTime(directory.resolve("faults.seen")).toMillis();
      return System.currentTimeMillis() - last >= time.toMillis();
    } catch (IOException e) {
      throw new LabException("no points in " + directory, e);
    }
  }

  /**
   * From now on it goes on.
   *
   * @return false if it has come to its end
   */
  public boolean goOn() {
    try {
      return Files.deleteIfExists(order);
    } catch (IOException e) {
      throw new LabException("cannot delete " + order, e);
    }
  }

  /** At which point it ended last. */
  public String point() {
    try {
      return Files.readString(directory.resolve("faults.last"));
    } catch (NoSuchFileException e) {
      throw new LabException("it has never ended at a point", e);
    } catch (IOException e) {
      throw new LabException("cannot read at which point it ended", e);
    }
  }
}
