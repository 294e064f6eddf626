package io.flannelvlan.dockerplugin;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.flannelvlan.dockerplugin.DockerdPeer.Answer;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Bodies that say nothing: one clear error each, no handler called, the server unharmed. */
class MalformedTest {

  private static final int MEGABYTE = 1 << 20;

  private static Served served;

  @BeforeAll
  static void serve() throws IOException {
    served = Served.ready();
  }

  @AfterAll
  static void stop() throws IOException {
    served.close();
  }

  @AfterEach
  void nothingWasDoneAndTheServerServes() throws IOException {
    assertThat(served.network.requests).isEmpty();
    assertThat(served.ipam.requests).isEmpty();
    assertThat(DockerdPeer.call(served.socket, "Plugin.Activate", "").status()).isEqualTo(200);
  }

  private static Stream<Arguments> noObjects() {
    return Stream.of(
        arguments(" \n\t ", "body is empty"),
        arguments("{", "no JSON"),
        arguments("{\"NetworkID\":\"a", "no JSON"),
        arguments("{\"NetworkID\":\"a\",", "no JSON"),
        arguments("{\"NetworkID\" \"a\"}", "no JSON"),
        arguments("{'NetworkID':'a'}", "no JSON"),
        arguments("{\"NetworkID\":\"a\"} {}", "no JSON"),
        arguments("{\"NetworkID\":\"a\"}x", "no JSON"),
        arguments("{\"NetworkID\":\"a\",\"NetworkID\":\"b\"}", "no JSON"),
        arguments("NetworkID=a", "no JSON"),
        arguments("\0\0\0\0", "no JSON"),
        arguments("{\"NetworkID\":\"a\0\"}", "no JSON"),
        arguments("{\"NetworkID\":\"\\ud800\"}", "no id"),
        arguments("null", "body is null"),
        arguments("[]", "body is a list"),
        arguments("[{\"NetworkID\":\"a\"}]", "body is a list"),
        arguments("\"text\"", "body is a text"),
        arguments("12", "body is the number 12"),
        arguments("1".repeat(1000), "no JSON"),
        arguments("true", "body is true"),
        arguments("[".repeat(100_000), "no JSON"),
        arguments("{\"a\":".repeat(100_000), "no JSON"),
        arguments("{\"" + "a".repeat(50_000) + "\":1}", "no JSON"),
        arguments("{\"a\":\"" + "b".repeat(900_000) + "\"}", "no JSON"),
        arguments("{\"a\":[" + "{},".repeat(300_000) + "1]}", "no JSON"),
        arguments("{\"a\":1}", "NetworkID is missing"));
  }

  @ParameterizedTest
  @MethodSource("noObjects")
  void bodyThatIsNoObjectIsRefused(String body, String error) throws IOException {
    Answer answer = DockerdPeer.call(served.socket, "NetworkDriver.DeleteNetwork", body);
    assertRefused(answer, error);
  }

  private static void assertRefused(Answer answer, String error) throws IOException {
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.error()).contains(error).hasSizeLessThan(400).doesNotContain("\n");
    assertThat(answer.text()).doesNotContain(".java:", "Exception", "jackson");
  }

  @Test
  void bytesThatAreNoTextAreRefused() throws IOException {
    for (String bytes :
        new String[] {
          "{\"NetworkID\":\"\u00ff\u00fe\"}", "\u00ff\u00ff", "\u00c3(", "\u00fe\u00ff"
        }) {
      try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
        peer.send("POST /NetworkDriver.DeleteNetwork HTTP/1.1\r\nHost: \r\nContent-Length: ");
        peer.send(bytes.length() + "\r\n\r\n");
        peer.send(bytes.getBytes(ISO_8859_1));
        Answer answer = peer.receive();
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.error()).isNotEmpty();
      }
    }
  }

  private static Stream<Arguments> wrongIds() {
    String ids = "\"NetworkID\":\"n\",\"EndpointID\":\"e\"";
    String network = "{\"NetworkID\":\"n\",";
    return Stream.of(
        arguments("NetworkDriver.Leave", "{\"EndpointID\":\"e\"}", "NetworkID is missing"),
        arguments("NetworkDriver.Leave", network + "\"EndpointID\":null}", "EndpointID is missing"),
        arguments("NetworkDriver.Leave", network + "\"EndpointID\":\"\"}", "EndpointID is missing"),
        arguments(
            "NetworkDriver.Leave", network + "\"EndpointID\":7}", "EndpointID is the number 7"),
        arguments("NetworkDriver.Leave", network + "\"EndpointID\":[]}", "EndpointID is a list"),
        arguments("NetworkDriver.Leave", network + "\"EndpointID\":\"a/b\"}", "no id"),
        arguments("NetworkDriver.Leave", network + "\"EndpointID\":\"..\"}", "no id"),
        arguments(
            "NetworkDriver.Leave", network + "\"EndpointID\":\"a\\n\"}", "control characters"),
        arguments(
            "NetworkDriver.Leave", network + "\"EndpointID\":\"" + "a".repeat(65) + "\"}", "no id"),
        arguments(
            "NetworkDriver.Leave",
            network + "\"networkid\":\"m\",\"EndpointID\":\"e\"}",
            "NetworkID is there twice"),
        arguments("NetworkDriver.Join", "{" + ids + "}", "SandboxKey is missing"),
        arguments(
            "NetworkDriver.Join",
            "{" + ids + ",\"SandboxKey\":\"a\\u0000\"}",
            "control characters"));
  }

  private static Stream<Arguments> wrongNetworks() {
    String network = "{\"NetworkID\":\"n\",";
    String pools = network + "\"IPv4Data\":[{\"Pool\":";
    return Stream.of(
        arguments("NetworkDriver.CreateNetwork", network + "\"Options\":[]}", "Options is a list"),
        arguments(
            "NetworkDriver.CreateNetwork", network + "\"IPv4Data\":{}}", "IPv4Data is an object"),
        arguments(
            "NetworkDriver.CreateNetwork", network + "\"IPv4Data\":[1]}", "IPv4Data[0] is the"),
        arguments(
            "NetworkDriver.CreateNetwork", network + "\"IPv4Data\":[{}]}", "IPv4Data[0].Pool"),
        arguments("NetworkDriver.CreateNetwork", pools + "\"10.2.0.0\"}]}", "IPv4Data[0].Pool"),
        arguments("NetworkDriver.CreateNetwork", pools + "\"10.2.0.1/16\"}]}", "host bits"),
        arguments("NetworkDriver.CreateNetwork", pools + "\"10.2.0.0/33\"}]}", "IPv4Data[0].Pool"),
        arguments(
            "NetworkDriver.CreateNetwork",
            pools + "\"10.2.0.0/16\",\"Gateway\":\"10.2.0.1\"}]}",
            "IPv4Data[0].Gateway"),
        arguments(
            "NetworkDriver.CreateNetwork",
            pools + "\"10.2.0.0/16\",\"AuxAddresses\":{\"dns\":1}}]}",
            "AuxAddresses.dns is the number 1"),
        arguments(
            "NetworkDriver.CreateNetwork",
            network + "\"Options\":{\"com.docker.network.internal\":\"yes\"}}",
            "internal is a text"));
  }

  private static Stream<Arguments> wrongEndpoints() {
    String ids = "\"NetworkID\":\"n\",\"EndpointID\":\"e\"";
    String ports = "{" + ids + ",\"Options\":{\"com.docker.network.portmap\":";
    return Stream.of(
        arguments(
            "NetworkDriver.CreateEndpoint",
            "{" + ids + ",\"Interface\":{\"MacAddress\":\"02:42\"}}",
            "Interface.MacAddress"),
        arguments(
            "NetworkDriver.CreateEndpoint",
            "{" + ids + ",\"Interface\":{\"Address\":\"10.2.0.256/16\"}}",
            "Interface.Address"),
        arguments("NetworkDriver.CreateEndpoint", ports + "{}}}", "portmap is an object"),
        arguments(
            "NetworkDriver.CreateEndpoint", ports + "[{\"Proto\":99}]}}", "99 is no protocol"),
        arguments(
            "NetworkDriver.CreateEndpoint",
            ports + "[{\"Proto\":6,\"Port\":70000}]}}",
            "portmap[0]: 70000 is no port"),
        arguments(
            "NetworkDriver.CreateEndpoint",
            ports + "[{\"Proto\":6,\"Port\":80,\"HostPort\":90,\"HostPortEnd\":80}]}}",
            "90-80 is no range"),
        arguments(
            "NetworkDriver.CreateEndpoint", ports + "[{\"Proto\":1e3}]}}", "Proto is the number"),
        arguments(
            "NetworkDriver.CreateEndpoint",
            ports + "[{\"Proto\":6,\"Port\":80,\"HostIP\":\"host.example\"}]}}",
            "portmap[0].HostIP"));
  }

  private static Stream<Arguments> wrongIpamCalls() {
    return Stream.of(
        arguments("IpamDriver.RequestPool", "{\"Pool\":\"10.2.0.0/x\"}", "Pool"),
        arguments("IpamDriver.RequestPool", "{\"V6\":\"true\"}", "V6 is a text"),
        arguments("IpamDriver.RequestPool", "{\"Options\":\"a\"}", "Options is a text"),
        arguments("IpamDriver.RequestAddress", "{}", "PoolID is missing"),
        arguments(
            "IpamDriver.RequestAddress",
            "{\"PoolID\":\"p\",\"Address\":\"10.2.0.1/16\"}",
            "Address"),
        arguments("IpamDriver.ReleaseAddress", "{\"PoolID\":\"p\"}", "Address is missing"),
        arguments("IpamDriver.ReleasePool", "{\"PoolID\":\"\"}", "PoolID is missing"));
  }

  @ParameterizedTest
  @MethodSource({"wrongIds", "wrongNetworks", "wrongEndpoints", "wrongIpamCalls"})
  void memberThatIsWrongIsNamed(String verb, String body, String error) throws IOException {
    assertRefused(DockerdPeer.call(served.socket, verb, body), error);
  }

  @Test
  void bodyOfMoreThanAMegabyteIsRefusedByItsAnnouncedLength() throws IOException {
    try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      peer.send(
          "POST /NetworkDriver.Leave HTTP/1.1\r\nHost: \r\nContent-Length: 9999999999\r\n\r\n");
      Answer answer = peer.receive();
      assertThat(answer.status()).isEqualTo(413);
      assertThat(answer.error()).contains("more than " + MEGABYTE + " bytes");
    }
  }

  @Test
  void chunkedBodyOfMoreThanAMegabyteIsRefusedOnceItIsThatLong() throws IOException {
    String chunk = "10000\r\n" + " ".repeat(0x10000) + "\r\n";
    try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      peer.send(
          "POST /NetworkDriver.Leave HTTP/1.1\r\nHost: \r\nTransfer-Encoding: chunked\r\n\r\n");
      for (int sent = 0; sent <= MEGABYTE; sent += 0x10000) {
        peer.send(chunk);
      }
      Answer answer = peer.receive();
      assertThat(answer.status()).isEqualTo(413);
      assertThat(answer.error()).contains("more than " + MEGABYTE + " bytes");
    }
  }

  @Test
  void bodyThatEndsEarlyIsNeverTakenForAWholeOne() throws IOException {
    try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      String whole = "{\"NetworkID\":\"n\",\"EndpointID\":\"e\"}";
      peer.send("POST /NetworkDriver.Leave HTTP/1.1\r\nHost: \r\nContent-Length: ");
      peer.send((whole.getBytes(UTF_8).length + 1) + "\r\n\r\n" + whole);
      served.network.requests.clear();
      peer.endOutput();
      assertThat(peer.isClosedByServer()).isTrue();
      assertThat(served.network.requests).isEmpty();
    }
  }

  @Test
  void chunkThatIsNoneIsRefused() throws IOException {
    try (DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      peer.send(
          "POST /NetworkDriver.Leave HTTP/1.1\r\nHost: \r\nTransfer-Encoding: chunked\r\n\r\n");
      peer.send("zz\r\n");
      Answer answer = peer.receive();
      assertThat(answer.status()).isEqualTo(400);
      assertThat(answer.error()).isNotEmpty();
      // Nobody knows where a next call would begin.
      assertThat(peer.isClosedByServer()).isTrue();
    }
  }
}
