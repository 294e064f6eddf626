package io.flannelvlan.tests.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The one thing of a lab that namespaces do not hold. All engines of a lab put their containers
 * below one parent in each hierarchy, so that what outlives them can be found.
 */
final class Cgroups {
  private static final Path MOUNTS = Path.of("/sys/fs/cgroup");
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private Cgroups() {}

  static String parent(Path lab) {
    return "/flannelvlan-" + lab.getFileName();
  }

  static List<Path> of(Path lab) {
    String parent = parent(lab).substring(1);
    // Version 2 has one hierarchy, at the mount itself; version 1 has one per controller below it.
    try (Stream<Path> hierarchies = Files.list(MOUNTS)) {
      return Stream.concat(Stream.of(MOUNTS), hierarchies)
          .map(hierarchy -> hierarchy.resolve(parent))
          .filter(Files::isDirectory)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void remove(Path lab) {
    // A cgroup is busy for a moment after its last process has ended.
    Await.until(PATIENCE, () -> "cgroups stay busy: " + of(lab), () -> tryRemove(lab));
  }

  private static boolean tryRemove(Path lab) {
    for (Path parent : of(lab)) {
      try (Stream<Path> inside = Files.walk(parent)) {
        for (Path group :
            inside.filter(Files::isDirectory).sorted(Comparator.reverseOrder()).toList()) {
          thaw(group);
          Files.delete(group);
        }
      } catch (IOException | UncheckedIOException busy) {
        return false;
      }
    }
    return true;
  }

  /** A paused container's processes end only once they run again. */
  private static void thaw(Path group) throws IOException {
    write(group.resolve("freezer.state"), "THAWED");
    write(group.resolve("cgroup.freeze"), "0");
  }

  private static void write(Path file, String word) throws IOException {
    if (Files.exists(file)) {
      Files.writeString(file, word, StandardOpenOption.WRITE);
    }
  }
}
