package io.flannelvlan.dockerplugin;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.flannelvlan.dockerplugin.DockerdPeer.Answer;
import io.flannelvlan.dockerplugin.NetworkApi.Scope;
import io.flannelvlan.dockerplugin.PluginServer.Limits;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whole conversations recorded from real engines, played again byte by byte: each request becomes
 * the records that mean it, and records that mean the recorded reply become that reply.
 */
class ReplayTest {

  private static final Manifest RECORDER =
      new Manifest(
          new NetworkApi.Capabilities(Scope.LOCAL, Scope.GLOBAL, false),
          new IpamApi.Capabilities(true, false),
          new IpamApi.DefaultAddressSpaces("flanlocal", "flanglobal"));

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"docker-20.10.24", "docker-26.1.5", "docker-28.5.2"})
  void conversationIsUnderstoodAndAnswered(String engine) throws Exception {
    Path socket = directory.resolve("flannelvlan.sock");
    TestingNetwork network = new TestingNetwork();
    TestingIpam ipam = new TestingIpam();
    List<JsonNode> calls = calls(engine);
    assertThat(calls).hasSizeGreaterThan(70);
    try (PluginServer server = PluginServer.start(List.of(socket), RECORDER, Limits.DEFAULT);
        DockerdPeer peer = DockerdPeer.connect(socket)) {
      server.ready(network, ipam);
      for (JsonNode call : calls) {
        network.requests.clear();
        ipam.requests.clear();
        network.answers = request -> RecordedReplies.of(request, call.path("reply"));
        ipam.answers = request -> RecordedReplies.of(request, call.path("reply"));
        peer.send(bytes(call));
        Answer answer = peer.receive();
        assertThat(answer.status()).as("%s", call).isEqualTo(200);
        assertThat(sparse(answer.json())).as("%s", call).isEqualTo(sparse(call.path("reply")));
        List<Object> decoded = new ArrayList<>(network.requests);
        decoded.addAll(ipam.requests);
        if (call.path("body").isNull()) {
          assertThat(decoded).isEmpty();
        } else {
          assertThat(decoded).hasSize(1);
          assertThat(sparse(WireForm.of(decoded.getFirst())))
              .as("%s", call)
              .isEqualTo(sparse(call.path("body")));
        }
      }
    }
  }

  private static List<JsonNode> calls(String engine) throws Exception {
    Path file =
        Path.of(ReplayTest.class.getResource("/dockerd-calls/" + engine + ".jsonl").toURI());
    List<JsonNode> calls = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      JsonNode call = DockerdPeer.JSON.readTree(line);
      if (call.has("path")) {
        calls.add(call);
      }
    }
    return calls;
  }

  /** The request as the engine sent it: Go's encoder writes no blanks, and a newline at the end. */
  private static byte[] bytes(JsonNode call) {
    String body = call.path("body").isNull() ? "" : call.path("body") + "\n";
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    assertThat(bytes).hasSize(call.path("headers").path("Content-Length").asInt());
    StringBuilder request = new StringBuilder("POST " + call.path("path").asText());
    request.append(" HTTP/1.1\r\n");
    for (Map.Entry<String, JsonNode> header : call.path("headers").properties()) {
      request.append(header.getKey()).append(": ").append(header.getValue().asText());
      request.append("\r\n");
    }
    return (request + "\r\n" + body).getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Without the members that say nothing: empty, false, and two that are dropped on purpose, the
   * MAC in base64 that stands elsewhere as text, and IPv4 being on, as it is where nothing is said.
   */
  private static JsonNode sparse(JsonNode node) throws IOException {
    if (!(node instanceof ObjectNode object)) {
      return node;
    }
    ObjectNode sparse = DockerdPeer.JSON.createObjectNode();
    for (Map.Entry<String, JsonNode> member : object.properties()) {
      JsonNode value = sparse(member.getValue());
      boolean nothing =
          value.isContainerNode()
              ? value.isEmpty()
              : value.asText().isEmpty() || value.asText().equals("false");
      boolean dropped =
          (member.getKey().equals("com.docker.network.enable_ipv4") && value.asBoolean())
              || (member.getKey().equals("com.docker.network.endpoint.macaddress")
                  && !value.asText().contains(":"));
      if (!nothing && !dropped) {
        sparse.set(member.getKey(), value);
      }
    }
    return sparse;
  }
}
