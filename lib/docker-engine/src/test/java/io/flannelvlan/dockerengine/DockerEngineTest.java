package io.flannelvlan.dockerengine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
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
       "Internal":true,"EnableIPv6":false,
       "IPAM":{"Driver":"flannelvlan","Options":{},"Config":[
         {"Subnet":"10.1.0.0/16","IPRange":"10.1.20.0/25","Gateway":"10.1.20.1","AuxiliaryAddresses":{"printer":"10.1.20.9"}}]},
       "Containers":{
         "c1":{"Name":"web","EndpointID":"e1","MacAddress":"0a:58:0a:01:14:02",
               "IPv4Address":"10.1.20.2/24","IPv6Address":""},
         "ep-e2":{"Name":"half","EndpointID":"e2","MacAddress":"","IPv4Address":"10.1.20.3/24"}},
       "Options":{"vni":"1"},"Labels":null}
      """;

  private static final String CONTAINERS =
      """
      [{"Id":"c1","State":"running",
        "NetworkSettings":{"Networks":{"vlan001":
          {"NetworkID":"n1","EndpointID":"e1","IPAddress":"10.1.20.2","IPPrefixLen":24,
           "MacAddress":"0a:58:0a:01:14:02","Links":null}}}},
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
  void aContainerIsConnectedWithWhatWasAskedForAndNoMore() {
    peer.raw("/networks/net1/connect", "HTTP/1.0 200 OK\r\n\r\n");
    peer.raw("/networks/net1/disconnect", "HTTP/1.0 200 OK\r\n\r\n");
    engine.connect(new NewAttachment("net1", "web", Optional.empty()));
    assertThat(peer.asked()).endsWith("{\"Container\":\"web\",\"EndpointConfig\":{}}");
    engine.connect(new NewAttachment("net1", "web", Optional.of(IpAddress.parse("10.2.0.5"))));
    assertThat(peer.asked()).endsWith("{\"IPAMConfig\":{\"IPv4Address\":\"10.2.0.5\"}}}");
    engine.disconnect("net1", "web");
    assertThat(peer.asked()).endsWith("{\"Container\":\"web\"}");
  }

  @Test
  void aNetworkShowsItsEndpointsWithAndWithoutSandboxAndWhatWasSetAside() {
    peer.answer("/networks/n1", NETWORK);
    EngineNetwork network = engine.network("n1");
    assertThat(network.attachments())
        .containsExactlyInAnyOrder(
            attachment("n1", "e1", "10.1.20.2", "0a:58:0a:01:14:02"),
            attachment("n1", "e2", "10.1.20.3", ""));
    assertThat(network.auxiliary()).containsExactly(IpAddress.parse("10.1.20.9"));
  }

  @Test
  void aNetworkShowsWhatItsUserAskedFor() {
    peer.answer("/networks/n1", NETWORK);
    assertThat(engine.network("n1").spec())
        .isEqualTo(
            new NetworkSpec(
                true,
                false,
                Map.of("vni", "1"),
                "flannelvlan",
                Map.of(),
                List.of(
                    new NetworkSpec.Pool(
                        "10.1.0.0/16",
                        Optional.of("10.1.20.0/25"),
                        Optional.of("10.1.20.1"),
                        Map.of("printer", "10.1.20.9")))));
  }

  @Test
  void containersShowWhatTheyAreAttachedTo() {
    peer.answer("/containers/json?all=true", CONTAINERS);
    assertThat(engine.containers())
        .containsExactly(
            new EngineContainer(
                "c1", List.of(attachment("n1", "e1", "10.1.20.2", "0a:58:0a:01:14:02"))),
            new EngineContainer(
                "c2",
                List.of(new Attachment("", Optional.empty(), Optional.empty(), Optional.empty()))));
  }

  @Test
  void aContainerShowsThePortsThatItWasMadeToPublish() {
    peer.answer(
        "/containers/c1/json",
        """
        {"Id":"c1","HostConfig":{"PublishAllPorts":false,"PortBindings":{
          "80/tcp":[{"HostIp":"","HostPort":"8080"},{"HostIp":"::","HostPort":"8080"}],
          "53/udp":[{"HostIp":"198.51.100.7","HostPort":"5353"},{"HostIp":"0.0.0.0","HostPort":""}],
          "81/tcp":[{"HostIp":"","HostPort":"9090-9092"}],
          "443/tcp":null}}}
        """);
    assertThat(engine.ports("c1"))
        .containsExactly(
            new EnginePort("udp", 53, Optional.of(IpAddress.parse("198.51.100.7")), 5353, 5353),
            new EnginePort("udp", 53, Optional.empty(), 0, 0),
            new EnginePort("tcp", 80, Optional.empty(), 8080, 8080),
            new EnginePort("tcp", 81, Optional.empty(), 9090, 9092));
    peer.answer("/containers/c2/json", "{\"HostConfig\":{\"PortBindings\":null}}");
    assertThat(engine.ports("c2")).isEmpty();
    for (String odd : List.of("{}", "null", "{\"HostConfig\":{\"PortBindings\":{\"x\":[{}]}}}")) {
      peer.answer("/containers/c3/json", odd);
      assertThatThrownBy(() -> engine.ports("c3")).as(odd).isInstanceOf(EngineException.class);
    }
  }

  @Test
  void exposedPortsArePublishedOnlyIfAllAreAndNotAnywhereElse() {
    String container =
        """
        {"HostConfig":{"PublishAllPorts":%s,"PortBindings":{"80/tcp":[{"HostPort":"8080"}]}},
         "Config":{"ExposedPorts":{"80/tcp":{},"53/udp":{}}}}
        """;
    EnginePort web = new EnginePort("tcp", 80, Optional.empty(), 8080, 8080);
    peer.answer("/containers/c1/json", container.formatted("true"));
    assertThat(engine.ports("c1"))
        .containsExactly(new EnginePort("udp", 53, Optional.empty(), 0, 0), web);
    peer.answer("/containers/c1/json", container.formatted("false"));
    assertThat(engine.ports("c1")).containsExactly(web);
  }

  @Test
  void aContainersNetworksComeByTheirPriorityAndThenByName() {
    peer.answer(
        "/containers/json?all=true",
        """
        [{"Id":"c1","NetworkSettings":{"Networks":{
          "b":{"NetworkID":"nb"},"c":{"NetworkID":"nc","GwPriority":7},"a":{"NetworkID":"na"}}}}]
        """);
    assertThat(engine.containers().getFirst().attachments())
        .extracting(Attachment::network)
        .containsExactly("nc", "na", "nb");
  }

  @Test
  void namesItselfAndItsNetworks() {
    peer.answer("/info", "{\"ID\":\"4711\",\"Containers\":3,\"Plugins\":{\"Volume\":[]}}");
    peer.answer(
        "/networks",
        """
        [{"Id":"n1","Name":"web","Driver":"a","Internal":true,"Options":{"vni":"1"},"Labels":{"l":"m"},
          "IPAM":{"Config":[{"Subnet":"10.1.0.0/16"}]}},
         {"Id":"n2","Options":null}]
        """);
    assertThat(engine.id()).isEqualTo("4711");
    assertThat(engine.networks())
        .containsExactly(
            new ListedNetwork(
                "n1",
                "web",
                "a",
                true,
                List.of("10.1.0.0/16"),
                Map.of("vni", "1"),
                Map.of("l", "m")),
            new ListedNetwork("n2", "", "", false, List.of(), Map.of(), Map.of()));
  }

  @Test
  void halfAnAnswerIsNone() {
    for (int end : List.of(1, 40, NETWORK.length() / 2, NETWORK.strip().length() - 1)) {
      peer.raw("/networks/n1", "HTTP/1.0 200 OK\r\n\r\n" + NETWORK.substring(0, end));
      assertThatThrownBy(() -> engine.network("n1")).isInstanceOf(EngineException.class);
    }
    peer.raw("/networks", "HTTP/1.0 200 OK\r\n\r\n");
    peer.raw("/info", "");
    assertThatThrownBy(engine::networks).isInstanceOf(EngineException.class);
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
      assertThatThrownBy(engine::networks).as(odd).isInstanceOf(EngineException.class);
    }
  }

  @Test
  void anErrorIsToldInTheEnginesWords() {
    peer.raw("/networks/n1", "HTTP/1.0 404 Not Found\r\n\r\n{\"message\":\"no such network\"}");
    assertThatThrownBy(() -> engine.network("n1"))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("docker.sock, GET /networks/n1: no such network");
    peer.raw("/networks/n1", "HTTP/1.0 500 Oh\r\n\r\nrubbish");
    assertThatThrownBy(() -> engine.network("n1"))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("docker.sock, GET /networks/n1: HTTP 500");
  }

  @Test
  void aNetworkIsMadeAsItsUserWouldMakeIt() {
    NewNetwork vlan =
        new NewNetwork(
            "vlan001", "fv", "10.1.0.0/16", true, Map.of("vni", "1"), Map.of("\u00e9", "\""));
    peer.raw("/networks/create", "HTTP/1.0 201 Created\r\n\r\n{\"Id\":\"n1\"}");
    engine.create(vlan);
    assertThat(peer.asked())
        .startsWith("POST /networks/create HTTP/1.0\r\n")
        .contains("Content-Type: application/json\r\n")
        .endsWith(
            """
            \r
            {"Name":"vlan001","CheckDuplicate":true,"Driver":"fv","Internal":true,\
            "IPAM":{"Driver":"fv","Config":[{"Subnet":"10.1.0.0/16"}]},\
            "Options":{"vni":"1"},"Labels":{"\u00e9":"\\""}}\
            """);
    peer.raw(
        "/networks/create",
        "HTTP/1.0 409 Conflict\r\n\r\n{\"message\":\"network with name vlan001 already exists\"}");
    assertThatThrownBy(() -> engine.create(vlan))
        .isInstanceOf(EngineException.class)
        .hasMessageEndingWith("network with name vlan001 already exists");
  }

  @Test
  void aNetworkIsRemovedUnlessItIsInUse() {
    peer.raw("/networks/n1", "HTTP/1.0 204 No Content\r\n\r\n");
    engine.remove("n1");
    assertThat(peer.asked()).startsWith("DELETE /networks/n1 HTTP/1.0\r\n");
    peer.raw("/networks/n1", "HTTP/1.0 404 Not Found\r\n\r\n{\"message\":\"none\"}");
    engine.remove("n1");
    peer.raw(
        "/networks/n1", "HTTP/1.0 403 Forbidden\r\n\r\n{\"message\":\"it has active endpoints\"}");
    assertThatThrownBy(() -> engine.remove("n1")).hasMessageEndingWith("it has active endpoints");
  }

  @Test
  void silenceEndsAtTheDeadline() {
    DockerEngine hasty = new DockerEngine(dir.resolve("docker.sock"), Duration.ofMillis(50));
    assertThatThrownBy(hasty::networks)
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.isNobodyThere()).isFalse());
  }

  @Test
  void nobodyAtTheSocketIsNoAnswer() {
    assertThatThrownBy(new DockerEngine(dir.resolve("none.sock"))::networks)
        .isInstanceOfSatisfying(EngineException.class, e -> assertThat(e.isNobodyThere()).isTrue())
        .hasMessageContaining("none.sock");
  }

  private static Attachment attachment(
      String network, String endpoint, String address, String mac) {
    return new Attachment(
        network,
        Optional.of(endpoint),
        Optional.of(InterfaceAddress.parse(address + "/24")),
        Optional.of(mac).filter(m -> !m.isEmpty()).map(MacAddress::parse));
  }
}
