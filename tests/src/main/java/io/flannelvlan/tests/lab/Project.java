package io.flannelvlan.tests.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Where things lie: the checkout that this runs in, and the cache that outlives it. */
final class Project {
  private Project() {}

  static Path root() {
    Path start = Path.of("").toAbsolutePath();
    for (Path at = start; at != null; at = at.getParent()) {
      if (Files.isRegularFile(at.resolve("tests/lab/lab-init"))) {
        return at;
      }
    }
    throw new LabException(start + " is not inside a checkout of flannelvlan");
  }

  static Path script(String name) {
    return root().resolve("tests/lab").resolve(name);
  }

  /** The daemon as users start it. */
  static Path program() {
    Path program = root().resolve("driver/target/dist/bin/flannelvlan");
    if (!Files.isExecutable(program)) {
      throw new LabException(program + " is missing: run ./dev build");
    }
    return program;
  }

  static Path cache() {
    return Path.of(
        Optional.ofNullable(System.getenv("FLANNELVLAN_CACHE")).orElse("/var/cache/flannelvlan"));
  }
}
