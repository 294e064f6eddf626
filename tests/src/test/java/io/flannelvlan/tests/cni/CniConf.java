package io.flannelvlan.tests.cni;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Pod;
import io.flannelvlan.tests.lab.Result;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;

/** Configurations for the executable, and what it prints. */
final class CniConf {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private CniConf() {}

  /** For vlan002. */
  static String of(String version) {
    return of(version, "'network':'vlan002'");
  }

  /** The same with other fields, with ' for "; what is null there is left out. */
  static String of(String version, String more) {
    ObjectNode conf = MAPPER.createObjectNode();
    conf.put("cniVersion", version).put("name", "net").put("type", "flannelvlan-cni");
    conf.put("network", "vlan002");
    read(("{" + more + "}").replace('\'', '"'))
        .forEachEntry((key, value) -> {
          if (value.isNull()) {
            conf.remove(key);
          } else {
            conf.set(key, value);
          }
        });
    return conf.toString();
  }

  /** A daemon that just began may not have heard of etcd yet. */
  static void awaitUsable(Pod pod) {
    Await.until(
        Duration.ofSeconds(20),
        () -> pod.cni("STATUS", of("1.1.0")).out(),
        () -> pod.cni("STATUS", of("1.1.0")).ok());
  }

  static JsonNode read(String text) {
    try {
      return MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new AssertionError("not JSON: " + text, e);
    }
  }

  /** The specification's error object, and nothing else, in that version; and exit code 1. */
  static void assertError(Result result, int code, String version, String word) {
    assertThat(result.exit()).as(result.toString()).isEqualTo(1);
    JsonNode error = read(result.out());
    Set<String> fields = new TreeSet<>();
    error.fieldNames().forEachRemaining(fields::add);
    assertThat(fields).contains("cniVersion", "code", "msg");
    assertThat(fields).isSubsetOf("cniVersion", "code", "msg", "details");
    assertThat(error.path("cniVersion").asText()).isEqualTo(version);
    assertThat(error.path("code").asInt(-1)).as(result.out()).isEqualTo(code);
    assertThat(error.path("msg").asText()).contains(word);
    assertThat(result.err()).isEmpty();
  }
}
