package io.flannelvlan.dockerengine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.net.IpAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is read of an engine's answers, and that half an answer is none. */
class DockerEngineTest {

  private static final String NETWORK =
      """
      {"Name":"vlan001","Id":"n1","Scope":"local","Driver":"flannelvlan",
       "IPAM":{"Driver":"flannelvlan","Options":{},"Config":[
         {"Subnet":"10.1.0.0/16","Gateway":"10.1.20.1","AuxiliaryAddresses":{"printer":"10.1.20.9"}}]},
       "Containers":{
         "c1":{"Name":"web","EndpointID":"e1","MacAddress":"0a:58:0a:01:14:02",
               "IPv4Address":"10.1.20.2/24","IPv6Address":""},
         "ep-e2":{"Name":"half","EndpointID":"e2","MacAddress":"","IPv4Address":"10.1.20.3/24"}},
       "Options":{"vni":"1"},"Labels":null}
      """;

  private static final String CONTAINERS =
      """
      [{"Id":"c1","State":"running","NetworkSettings":{"Networks":{"vlan001":
          {"NetworkID":"n1","EndpointID":"e1","IPAddress":"10.1.20.2","Links":null}}}},
       {"Id":"c2","State":"created","NetworkSettings":{"Networks":{"vlan001":
          {"NetworkID":"","EndpointID":"","IPAddress":""},"odd":null}}},
       {"Id":"c3","State":"exited","NetworkSettings":{"Networks":null}}]
      """;

  @TempDir Path dir;
  private TestingEngine peer;
  private DockerEngine engine;

  @BeforeEach
  void start() throws IOException {
    peer = new TestingEngine(dir.resolve("docker.sock"));
    engine = new DockerEngine(dir.resolve("docker.sock"), Duration.ofSeconds(5));
  }

  @AfterEach
  void end() throws IOException {
    peer.close();
  }

  @Test
  void aNetworkShowsItsEndpointsWithAndWithoutSandboxAndWhatWasSetAside() {
    peer.answer("/networks/n1", NETWORK);
    EngineNetwork network = engine.network("n1");
    assertThat(network.attachments())
        .containsExactlyInAnyOrder(
            attachment("n1", "e1", "10.1.20.2"), attachment("n1", "e2", "10.1.20.3"));
    assertThat(network.auxiliary()).containsExactly(IpAddress.parse("10.1.20.9"));
  }

  @Test
  void containersShowWhatTheyAreAttachedTo() {
    peer.answer("/containers/json?all=true", CONTAINERS);
    assertThat(engine.attachments())
        .containsExactly(
            attachment("n1", "e1", "10.1.20.2"),
            new Attachment("", Optional.empty(), Optional.empty()));
  }

  @Test
  void namesItselfAndItsNetworks() {
    peer.answer("/info", "{\"ID\":\"4711\",\"Containers\":3,\"Plugins\":{\"Volume\":[]}}");
    peer.answer("/networks", "[{\"Id\":\"n1\",\"Name\":\"a\"},{\"Id\":\"n2\",\"Name\":\"b\"}]");
    assertThat(engine.id()).isEqualTo("4711");
    assertThat(engine.networkIds()).containsExactlyInAnyOrder("n1", "n2");
  }

  @Test
  void halfAnAnswerIsNone() {
    for (int end : List.of(1, 40, NETWORK.length() / 2, NETWORK.strip().length() - 1)) {
      peer.raw("/networks/n1", "HTTP/1.0 200 OK\r\n\r\n" + NETWORK.substring(0, end));
      assertThatThrownBy(() -> engine.network("n1")).isInstanceOf(EngineException.class);
    }
    peer.raw("/networks", "HTTP/1.0 200 OK\r\n\r\n");
    peer.raw("/info", "");
    assertThatThrownBy(engine::networkIds).isInstanceOf(EngineException.class);
    assertThatThrownBy(engine::id).hasMessageContaining("GET /info: no answer");
  }

  @Test
  void anotherAnswerThanTheOneThatWeKnowIsNone() {
    for (String odd : List.of("null", "{}", "[]", "[{}]", "[null]", "7", "{\"Id\":\"n1\"}")) {
      peer.answer("/networks/n1", odd);
      assertThatThrownBy(() -> engine.network("n1")).as(odd).isInstanceOf(EngineException.class);
    }
    for (String odd : List.of("null", "{}", "[{}]", "[null]", "[[]]", "[] []")) {
      peer.answer("/networks", odd);
      assertThatThrownBy(engine::networkIds).as(odd).isInstanceOf(EngineException.class);
    }
  }

  @Test
  void anErrorIsToldInTheEnginesWords() {
    peer.raw("/networks/n1", "HTTP/1.0 404 Not Found\r\n\r\n{\"message\":\"no such network\"}");
    assertThatThrownBy(() -> engine.network("n1"))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("docker.sock, GET /networks/n1: HTTP/1.0 404 Not Found");
  }

  @Test
  void silenceEndsAtTheDeadline() {
    DockerEngine hasty = new DockerEngine(dir.resolve("docker.sock"), Duration.ofMillis(50));
    assertThatThrownBy(hasty::networkIds).isInstanceOf(EngineException.class);
  }

  @Test
  void nobodyAtTheSocketIsNoAnswer() {
    assertThatThrownBy(new DockerEngine(dir.resolve("none.sock"))::networkIds)
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("none.sock");
  }

  private static Attachment attachment(String network, String endpoint, String address) {
    return new Attachment(network, Optional.of(endpoint), Optional.of(IpAddress.parse(address)));
  }
}
