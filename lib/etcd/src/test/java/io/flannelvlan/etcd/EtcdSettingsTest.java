package io.flannelvlan.etcd;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EtcdSettingsTest {

  private static final Optional<Path> FILE = Optional.of(Path.of("/x.pem"));
  private static final Optional<Path> NONE = Optional.empty();

  @ParameterizedTest
  @ValueSource(strings = {"", "ftp://a:1", "http://", "http:///x", "http://a:1,https://b:1"})
  void endpointsThatCannotWorkAreRefused(String list) {
    assertThatThrownBy(() -> settings(list, NONE, NONE, NONE, NONE))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void halvesAndContradictionsAreRefused() {
    assertThatThrownBy(() -> settings("https://a:1", NONE, FILE, NONE, NONE))
        .hasMessageContaining("give both or none");
    assertThatThrownBy(() -> settings("https://a:1", NONE, NONE, NONE, FILE))
        .hasMessageContaining("give both or none");
    assertThatThrownBy(() -> settings("http://a:1", FILE, NONE, NONE, NONE))
        .hasMessageContaining("write https");
  }

  @Test
  void certificateFilesThatAreNoneAreRefusedAtOnce() {
    EtcdSettings missing = settings("https://127.0.0.1:1", FILE, NONE, NONE, NONE);
    assertThatThrownBy(() -> Etcd.open(missing).close())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("/x.pem")
        .hasMessageContaining("PKCS#8");
  }

  private static EtcdSettings settings(
      String endpoints,
      Optional<Path> ca,
      Optional<Path> cert,
      Optional<Path> key,
      Optional<Path> password) {
    List<URI> uris =
        Stream.of(endpoints.split(",")).filter(uri -> !uri.isEmpty()).map(URI::create).toList();
    return new EtcdSettings(uris, ca, cert, key, Optional.empty(), Optional.empty(), password);
  }
}
