package io.flannelvlan.tests.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

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

  /** The program with all that it needs, as it is installed. */
  static Path dist() {
    return root().resolve("driver/target/dist");
  }

  /** The daemon as users start it. */
  static Path program() {
    Path program = dist().resolve("bin/flannelvlan");
    if (!Files.isExecutable(program)) {
      throw new LabException(program + " is missing: run ./dev build");
    }
    return program;
  }

  /** What daemons start with, so that they take half the time, as from the packages. */
  static Optional<Path> daemonsCache() {
    return Optional.ofNullable(System.getProperty("lab.aot"))
        .map(Path::of)
        .filter(Files::isReadable);
  }

  /** The executable that CNI runtimes start. */
  static Path cniPlugin() {
    return program().resolveSibling("flannelvlan-cni");
  }

  /** The managed plugin, as docker plugin create takes it. */
  static Path plugin() {
    Path plugin = root().resolve("driver/target/plugin");
    if (!Files.exists(plugin.resolve("made"))) {
      throw new LabException(plugin + " is missing: run ./dev plugin");
    }
    return plugin;
  }

  /** What docker plugin create wants beside the root. */
  static Path pluginConfig() {
    return root().resolve("plugin-config.json");
  }

  /** The Debian package. */
  static Path debianPackage() {
    Path packages = root().resolve("driver/target/packages");
    try (Stream<Path> all = Files.list(packages)) {
      return all.filter(path -> path.toString().endsWith(".deb"))
          .findFirst()
          .orElseThrow(() -> new LabException("no .deb in " + packages + ": run ./dev dist"));
    } catch (IOException e) {
      throw new LabException(packages + " is missing: run ./dev dist", e);
    }
  }

  static Path cache() {
    return Path.of(
        Optional.ofNullable(System.getenv("FLANNELVLAN_CACHE")).orElse("/var/cache/flannelvlan"));
  }
}
