package io.flannelvlan.tests.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What all this runs on, for whoever reads the figures. */
public final class Hardware {
  private Hardware() {}

  /** Such as "2 cores of AMD EPYC, Linux 6.18.44". */
  public static String text() {
    int cores = Runtime.getRuntime().availableProcessors();
    return cores + " cores of " + model() + ", Linux " + System.getProperty("os.version");
  }

  private static String model() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 2))
          .findFirst()
          .orElse("unknown processor");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
