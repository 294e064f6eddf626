package io.flannelvlan.driver.shared;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.net.Cidr;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SharedNetworkJsonTest {

  private static final Instant NOW = Instant.parse("2026-11-23T20:00:00Z");

  private final SharedNetworkJson json = new SharedNetworkJson();

  @Test
  void eachWordIsReadAsItWasWritten() {
    assertWritten(new SharedNetwork.Announced(NOW), "{\"announced\":\"2026-11-23T20:00:00Z\"}");
    assertWritten(
        new SharedNetwork.Described(
            "5f0c",
            Cidr.parse("10.2.0.0/16"),
            "web",
            true,
            Map.of("vni", "2"),
            Map.of("b", "2", "a", "1"),
            false,
            "198.51.100.11",
            NOW),
        """
        {"generation":"5f0c","range":"10.2.0.0/16","name":"web","internal":true,"everywhere":false,\
        "options":{"vni":"2"},"labels":{"a":"1","b":"2"},"by":"198.51.100.11","since":"2026-11-23T20:00:00Z"}\
        """);
    assertWritten(
        new SharedNetwork.Removed("5f0c", true, "198.51.100.11", NOW),
        """
        {"removed":"5f0c","done":true,"by":"198.51.100.11","since":"2026-11-23T20:00:00Z"}\
        """);
  }

  private void assertWritten(SharedNetwork network, String text) {
    assertThat(json.write(network)).isEqualTo(text);
    assertThat(json.read(text)).isEqualTo(network);
  }

  @Test
  void whatALaterReleaseAddsIsNoHindrance() {
    assertThat(json.read("{\"announced\":\"2026-11-23T20:00:00Z\",\"weather\":[1]}"))
        .isEqualTo(new SharedNetwork.Announced(NOW));
    assertThat(json.read("{\"generation\":\"a\",\"range\":\"10.2.0.0/16\",\"name\":\"web\"}"))
        .isEqualTo(
            new SharedNetwork.Described(
                "a",
                Cidr.parse("10.2.0.0/16"),
                "web",
                false,
                Map.of(),
                Map.of(),
                true,
                "unknown",
                Instant.EPOCH));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "null",
        "``",
        "rubbish",
        "[]",
        "{}",
        "{\"announced\":\"yesterday\"}",
        "{\"generation\":\"a\",\"range\":\"10.2.0.0/99\",\"name\":\"web\"}",
        "{\"generation\":\"a\",\"range\":\"10.2.0.0/16\",\"name\":\"\"}",
        "{\"generation\":\"a\",\"range\":\"10.2.0.0/16\",\"name\":\"web\",\"options\":[]}",
        "{\"generation\":\"a\",\"range\":\"10.2.0.0/16\",\"name\":\"web\",\"options\":{\"a\":null}}",
      })
  void whatIsNoneOfThemSaysWhy(String text) {
    assertThat(json.read(text == null ? "null" : text))
        .isInstanceOfSatisfying(
            SharedNetwork.Unreadable.class, u -> assertThat(u.reason()).isNotBlank());
  }
}
