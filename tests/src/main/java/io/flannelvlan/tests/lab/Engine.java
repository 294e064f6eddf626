package io.flannelvlan.tests.lab;

import java.nio.file.Files;
import java.nio.file.Path;

/** A Docker engine as a distribution ships it, in a root file system of its own. */
public enum Engine {
  DOCKER_20_10("bookworm"),
  DOCKER_28("forky");

  private final String suite;

  Engine(String suite) {
    this.suite = suite;
  }

  /** Made by tests/lab/engine-tree, which ./dev calls; it takes minutes, once. */
  Path tree() {
    Path tree = Project.cache().resolve("engine-" + suite);
    if (!Files.exists(tree.resolve(".packages"))) {
      throw new LabException(
          tree + " is missing: run " + Project.script("engine-tree") + " " + suite);
    }
    return tree;
  }

  /**
   * A static busybox: tools that need nothing installed, for machines, hosts and containers alike.
   */
  static Path busybox() {
    return DOCKER_20_10.tree().resolve("bin/busybox");
  }
}
