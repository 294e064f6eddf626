package io.flannelvlan.tests.cni;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flannelvlan.tests.lab.Examples;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The files of docs/examples, beside the tests that run with them. */
final class ExamplesTest {

  private static final Path PAGE = Path.of("../docs/CNI.md");

  @ParameterizedTest
  @MethodSource("io.flannelvlan.tests.lab.Examples#all")
  void eachCanBeReadAndThePageNamesIt(String example) throws IOException {
    assertThat(Files.readString(PAGE)).contains("(examples/" + example + ")");
    switch (example.replaceFirst(".*\\.", "")) {
      case "conf" -> {
        if (example.startsWith("cni/")) {
          assertIsOurs(json(example), example);
        }
      }
      case "conflist" -> {
        assertThat(json(example).path("name").asText()).isNotEmpty();
        assertIsOurs(json(example).path("plugins").path(0), example);
      }
      case "yaml" -> {
        Manifest manifest = Manifest.of(example);
        assertThat(manifest.name()).isNotEmpty();
        assertThat(manifest.annotations()).containsOnlyKeys("flannelvlan.io/networks");
      }
      case "toml" ->
          assertThat(Files.readString(PAGE))
              .contains(Examples.text(example).replaceFirst("(?s).*?(?=\\[)", ""));
      default -> throw new AssertionError(example + ": nobody reads it");
    }
  }

  @Test
  void thePageShowsTheVeryListThatTheTestsRunWith() throws IOException {
    assertThat(Files.readString(PAGE)).contains(Examples.text("cni/net.d/10-vlan002.conflist"));
  }

  private static void assertIsOurs(JsonNode plugin, String example) {
    assertThat(plugin.path("type").asText()).isEqualTo("flannelvlan-cni");
    String number = example.replaceFirst(".*vlan(\\d+).*|.*", "$1");
    assertThat(plugin.path("network").asText()).isEqualTo(number.isEmpty() ? "" : "vlan" + number);
  }

  private static JsonNode json(String example) throws IOException {
    return new ObjectMapper().readTree(Examples.text(example));
  }
}
