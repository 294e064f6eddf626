package io.flannelvlan.tests.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The ready-made files in docs/examples, which have to work as they are. */
public final class Examples {
  private Examples() {}

  private static Path dir() {
    return Project.root().resolve("docs/examples");
  }

  /** A file's text, by its path such as {@code cni/net.d/10-vlan002.conflist}. */
  public static String text(String path) {
    try {
      return Files.readString(dir().resolve(path));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The paths of all. */
  public static List<String> all() {
    try (Stream<Path> files = Files.walk(dir())) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> dir().relativize(file).toString())
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
