package io.flannelvlan.dockerplugin;

import static io.flannelvlan.dockerplugin.DockerdPeer.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.dockerplugin.DockerdPeer.Answer;
import io.flannelvlan.dockerplugin.PluginServer.Limits;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** HTTP as dockerd's many versions speak it, in raw bytes. */
class WireTest {

  private static final String IMPLEMENTED =
      """
      {"Implements":["NetworkDriver","IpamDriver"]}\
      """;
  private static final String LEAVE =
      """
      {"NetworkID":"n1","EndpointID":"e1"}
      """;

  private static Served served;

  @BeforeAll
  static void serve() throws IOException {
    served = Served.ready();
  }

  @AfterAll
  static void stop() throws IOException {
    served.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Host: plugin.moby.localhost\r\n",
        "Host: \r\n",
        "Host:\r\n",
        "Host:    \r\n",
        "Host: %2Frun%2Fdocker%2Fplugins%2Fflannelvlan.sock\r\n",
        "Host: /run/docker/plugins/flannelvlan.sock\r\n",
        "Host: a b\r\n",
        "host: localhost:99999\r\n",
        "",
      })
  void anyHostWillDo(String hostLine) throws IOException {
    try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      for (int i = 0; i < 3; i++) {
        peer.send(request("Plugin.Activate", hostLine, ""));
        Answer activated = peer.receive();
        assertThat(activated.status()).isEqualTo(200);
        assertThat(activated.text()).isEqualTo(IMPLEMENTED);
        peer.send(request("NetworkDriver.Leave", hostLine, LEAVE));
        assertThat(peer.receive().text()).isEqualTo("{}");
      }
    }
  }

  @Test
  void missingHostWillDoWithNothingButTheRequestLine() throws IOException {
    try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      peer.send("POST /Plugin.Activate HTTP/1.1\r\n\r\nPOST /Plugin.Activate HTTP/1.0\r\n\r\n");
      assertThat(peer.receive().text()).isEqualTo(IMPLEMENTED);
      assertThat(peer.receive().text()).isEqualTo(IMPLEMENTED);
    }
  }

  @Test
  void repliesHaveDockersContentTypeAndALength() throws IOException {
    Answer answer = DockerdPeer.call(served.socket, "NetworkDriver.Leave", LEAVE);
    assertThat(answer.headers())
        .containsEntry("Content-Type", "application/vnd.docker.plugins.v1.2+json")
        .containsEntry("Content-Length", "2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"text/plain", "application/json", "x", "application/x-www-form-urlencoded"})
  void anyContentTypeWillDo(String type) throws IOException {
    try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      peer.send(request("NetworkDriver.Leave", "Host: x\r\nContent-Type: " + type + "\r\n", LEAVE));
      assertThat(peer.receive().status()).isEqualTo(200);
    }
  }

  @Test
  void chunkedBodiesAreRead() throws IOException {
    try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      for (int i = 0; i < 2; i++) {
        peer.send("POST /NetworkDriver.Leave HTTP/1.1\r\nHost: \r\n");
        peer.send("Transfer-Encoding: chunked\r\n\r\n10\r\n{\"NetworkID\":\"n1\r\n");
        peer.send("16\r\n\",\"EndpointID\":\"e99\"}\n\r\n0\r\n\r\n");
        assertThat(peer.receive().text()).isEqualTo("{}");
      }
    }
    assertThat(served.network.requests)
        .contains(new NetworkApi.LeaveRequest(new NetworkId("n1"), new EndpointId("e99")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 0\r\n\r\n",
        "\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
      })
  void emptyBodyIsFineOnlyWhereNoneIsNeeded(String rest) throws IOException {
    try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      peer.send("POST /IpamDriver.GetCapabilities HTTP/1.1\r\nHost: \r\n" + rest);
      assertThat(peer.receive().status()).isEqualTo(200);
      peer.send("POST /NetworkDriver.DeleteNetwork HTTP/1.1\r\nHost: \r\n" + rest);
      Answer refused = peer.receive();
      assertThat(refused.status()).isEqualTo(400);
      assertThat(refused.error()).contains("body is empty");
    }
  }

  @Test
  void bodyIsWaitedForWhenItComesInPieces() throws IOException {
    try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      String whole = request("NetworkDriver.Leave", "Host: \r\n", LEAVE);
      for (int i = 0; i < whole.length(); i++) {
        peer.send(whole.substring(i, i + 1));
      }
      assertThat(peer.receive().status()).isEqualTo(200);
    }
  }

  @Test
  void aPeerThatHasSaidAllAndEndsItsSideGetsItsAnswer() throws IOException {
    // Whichever of the server's threads is the faster one.
    for (int i = 0; i < 500; i++) {
      try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
        peer.send(request("NetworkDriver.Leave", "Host: \r\n", LEAVE));
        peer.endOutput();
        assertThat(peer.receive().text()).isEqualTo("{}");
        assertThat(peer.isClosedByServer()).isTrue();
      }
    }
  }

  @Test
  void aBodyThatComesAfterItsRefusalResetsNothing() throws IOException {
    try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      peer.send("POST /Dance HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\n");
      assertThat(peer.receive().status()).isEqualTo(404);
      peer.send("{}");
      assertThat(peer.isClosedByServer()).isTrue();
    }
  }

  @Test
  void aBodyThatWaitsForOurWordGetsIt() throws IOException {
    try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      String head = "POST /NetworkDriver.%s HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %d";
      peer.send(head.formatted("Leave", LEAVE.length()) + "\r\n\r\n");
      assertThat(peer.receive().status()).isEqualTo(100);
      peer.send(LEAVE);
      assertThat(peer.receive().text()).isEqualTo("{}");
      peer.send(head.formatted("Nothing", LEAVE.length()) + "\r\n\r\n");
      assertThat(peer.receive().status()).isEqualTo(404);
      assertThat(peer.isClosedByServer()).isTrue();
    }
  }

  @Test
  void pipelinedCallsAreAnsweredInOrder() throws IOException {
    try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      peer.send(
          request("IpamDriver.GetDefaultAddressSpaces", "Host: \r\n", "")
              + request("NetworkDriver.Leave", "", LEAVE)
              + request("NetworkDriver.GetCapabilities", "Host: \r\n", ""));
      assertThat(peer.receive().json().path("LocalDefaultAddressSpace").asText())
          .isEqualTo("flannelvlan");
      assertThat(peer.receive().text()).isEqualTo("{}");
      assertThat(peer.receive().json().path("Scope").asText()).isEqualTo("local");
    }
  }

  @Test
  void connectionServesManyCalls() throws IOException {
    try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      for (int i = 0; i < 1000; i++) {
        assertThat(peer.call("NetworkDriver.Leave", LEAVE).status()).isEqualTo(200);
      }
    }
  }

  @Test
  void idleConnectionIsClosedByTheSettingWhichIsDaysInEarnest() throws IOException {
    assertThat(Limits.DEFAULT.idle()).isGreaterThanOrEqualTo(Duration.ofDays(1));
    try (Served quick = Served.ready(Served.QUICK);
        DockerdPeer peer = DockerdPeer.connect(quick.socket)) {
      assertThat(peer.call("Plugin.Activate", "").status()).isEqualTo(200);
      assertThat(peer.isClosedByServer()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "NetworkDriver.Nothing",
        "VolumeDriver.Create",
        "networkdriver.leave",
        "NetworkDriver.Leave/",
        "",
        "a/b/%20c?d=e",
      })
  void unknownVerbIs404(String verb) throws IOException {
    Answer answer = DockerdPeer.call(served.socket, verb, "{}");
    assertThat(answer.status()).isEqualTo(404);
    assertThat(answer.error()).contains("no verb");
  }

  @ParameterizedTest
  @CsvSource({
    "GET, NetworkDriver.Leave, 405",
    "PUT, Plugin.Activate, 405",
    "DELETE, NetworkDriver.DeleteNetwork, 405",
    "OPTIONS, Plugin.Activate, 405",
    "PATCH, Plugin.Activate, 405",
    "FOO, Plugin.Activate, 405",
    "GET, NetworkDriver.Nothing, 404",
    "FOO, NetworkDriver.Nothing, 404",
  })
  void otherMethodIsRefused(String method, String verb, int status) throws IOException {
    try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      peer.send(method + " /" + verb + " HTTP/1.1\r\nHost: \r\n\r\n");
      Answer answer = peer.receive();
      assertThat(answer.status()).isEqualTo(status);
      assertThat(answer.error()).contains(verb);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nonsense\r\n\r\n",
        "POST /Plugin.Activate HTTP/9.9\r\n\r\n",
        "POST /Plugin.Activate HTTP/1.1\r\nHost: \r\nContent-Length: -1\r\n\r\n",
        "POST /Plugin.Activate HTTP/1.1\r\nHost: \r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST /Plugin.Activate HTTP/1.1\r\nHost: \r\nContent-Length: abc\r\n\r\n",
        "POST /Plugin.Activate HTTP/1.1\r\nHost: \r\nContent-Length: 1, 2\r\n\r\n",
        "POST /Plugin.Activate HTTP/1.1\r\nHost: \r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /Plugin.Activate HTTP/1.1\r\nno colon here\r\n\r\n",
        "POST /%zz HTTP/1.1\r\nHost: \r\n\r\n",
      })
  void brokenHttpIsAnsweredInDockersWordsAndHarmsNobodyElse(String bytes) throws IOException {
    // The answer is another thread's than the connection's end: once is no proof.
    for (int i = 0; i < 200; i++) {
      try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
        peer.send(bytes);
        Answer answer = peer.receive();
        assertThat(answer.status()).isBetween(400, 505);
        assertThat(answer.error()).isNotEmpty();
      }
    }
    assertThat(DockerdPeer.call(served.socket, "Plugin.Activate", "").status()).isEqualTo(200);
  }

  @Test
  void requestLineThatLeavesNoRoomForAHostIsRefused() throws IOException {
    for (int length = 8_100; length < 8_200; length++) {
      try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
        peer.send("POST /" + "y".repeat(length) + " HTTP/1.1\r\n\r\n");
        Answer answer = peer.receive();
        assertThat(answer.status()).isBetween(400, 431);
        assertThat(answer.error()).isNotEmpty();
      }
    }
  }

  @Test
  void hugeHeaderIsRefused() throws IOException {
    try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      peer.send(
          "POST /Plugin.Activate HTTP/1.1\r\nHost: \r\nX: " + "y".repeat(20_000) + "\r\n\r\n");
      Answer answer = peer.receive();
      assertThat(answer.status()).isEqualTo(431);
      assertThat(answer.error()).isNotEmpty();
    }
  }

  @Test
  void sixtyFourClientsAtOnceGetEachTheirOwnAnswers() throws Exception {
    served.network.requests.clear();
    List<Future<Integer>> clients = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 64; i++) {
        String endpoint = "e" + i;
        clients.add(threads.submit(() -> callsOfOneClient(endpoint)));
      }
    }
    for (Future<Integer> client : clients) {
      assertThat(client.get()).isEqualTo(50);
    }
    assertThat(served.network.requests).hasSize(64 * 50).doesNotHaveDuplicates();
  }

  private static int callsOfOneClient(String endpoint) throws IOException {
    int answered = 0;
    try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      for (int i = 0; i < 50; i++) {
        String id = endpoint + "x" + i;
        String body = "{\"NetworkID\":\"n\",\"EndpointID\":\"" + id + "\",\"Options\":{\"o\":\"";
        // Some bodies are larger than a buffer.
        String padded = body + "p".repeat(i * 700) + "\"}}";
        answered += peer.call("NetworkDriver.CreateEndpoint", padded).status() == 200 ? 1 : 0;
      }
    }
    return answered;
  }
}
