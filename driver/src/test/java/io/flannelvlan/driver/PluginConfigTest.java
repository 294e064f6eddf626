package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What dockerd is told of the managed plugin fits the program in it. */
class PluginConfigTest {

  /** Where things are in the plugin's own root follows from its mounts; nobody can choose it. */
  private static final Set<Setting> FIXED =
      Set.of(Setting.SOCKET, Setting.PLAIN_SOCKET, Setting.STATE_DIR, Setting.RUN_DIR);

  private final JsonNode config = read();

  @Test
  void everySettingCanBeSetAndIsExplainedAsTheProgramDoes() {
    List<String> expected = new ArrayList<>();
    for (Setting setting : Setting.values()) {
      if (!FIXED.contains(setting)) {
        expected.add(setting + ": " + setting.meaning());
      }
    }
    List<String> settable = new ArrayList<>();
    for (JsonNode variable : config.get("env")) {
      if (variable.has("settable")) {
        settable.add(variable.get("name").asText() + ": " + variable.get("description").asText());
      }
    }
    assertThat(settable).containsExactlyElementsOf(expected);
  }

  @Test
  void whatDockerSetsByItselfIsValid() {
    Map<String, String> environment = new HashMap<>();
    for (JsonNode variable : config.get("env")) {
      environment.put(variable.get("name").asText(), variable.get("value").asText());
    }
    Config read = Config.of(Settings.of(List.of(), environment));
    assertThat(read.sockets())
        .containsExactly(
            Path.of("/run/docker/plugins", config.at("/interface/socket").asText()),
            Path.of("/mnt/plugins/flannelvlan.sock"));
    assertThat(read.driverName()).isEqualTo("flannelvlan");
    assertThat(read.etcd()).isEqualTo(new EtcdChoice.Carried());
  }

  private static JsonNode read() {
    try {
      return new JsonMapper().readTree(Path.of("../plugin-config.json").toFile());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
