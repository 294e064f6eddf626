package io.flannelvlan.driver.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Each scene in a JVM of its own, inside a namespace of its own: the reconciler calls nft and
 * iptables in whatever namespace its process is in.
 */
class ReconcilerIT {

  @ParameterizedTest
  @EnumSource
  void scene(ReconcilerScenes scene) throws IOException, InterruptedException {
    try (TestingNamespace namespace = new TestingNamespace()) {
      ProcessBuilder builder =
          new ProcessBuilder(
              namespace.inside(
                  List.of(
                      Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                      "--enable-native-access=ALL-UNNAMED",
                      "--sun-misc-unsafe-memory-access=allow",
                      "-XX:+UseSerialGC",
                      "-XX:TieredStopAtLevel=1",
                      "-cp",
                      System.getProperty("java.class.path"),
                      ReconcilerScenes.class.getName(),
                      scene.name(),
                      Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString())));
      Process process = builder.redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as(output).isZero();
    }
  }
}
