package io.flannelvlan.tests.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.invariants.JournalLook;
import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Etcd;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Result;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What arrives at the socket in a way that no sound dockerd would send it. */
@ExtendWith(LogsOnFailure.class)
final class SocketIT {
  private static final String NETWORK = "a".repeat(64);
  private static final String ENDPOINT = "b".repeat(64);
  private static final String OTHER = "c".repeat(64);
  private static final String POOL = "{\"PoolID\":\"flannelvlan/10.1.0.0/16\"";

  private static Site site;
  private static Host host;

  /** This host's, as every test finds it. */
  private String gateway = "";

  private String address = "";

  @BeforeAll
  static void boot() {
    site = new Site(Engine.DOCKER_28);
    host = site.host(1);
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @BeforeEach
  void createNetworkAndEndpoint() {
    gateway =
        Bodies.member(
            accepted("IpamDriver.RequestPool", Bodies.requestPool("10.1.0.0/16")), "gateway");
    accepted(
        "NetworkDriver.CreateNetwork", Bodies.createNetwork(NETWORK, "10.1.0.0/16", 1, gateway));
    address =
        Bodies.member(
            accepted("IpamDriver.RequestAddress", POOL + ",\"Address\":\"\"}"), "Address");
    accepted("NetworkDriver.CreateEndpoint", Bodies.createEndpoint(NETWORK, ENDPOINT, address));
  }

  @AfterEach
  void deleteThem() {
    accepted("NetworkDriver.Leave", Bodies.endpoint(NETWORK, ENDPOINT));
    accepted("NetworkDriver.DeleteEndpoint", Bodies.endpoint(NETWORK, ENDPOINT));
    accepted("IpamDriver.ReleaseAddress", POOL + ",\"Address\":\"" + bare(address) + "\"}");
    accepted("IpamDriver.ReleasePool", POOL + "}");
    accepted("NetworkDriver.DeleteNetwork", Bodies.network(NETWORK));
    site.nothingRemains(host);
  }

  @Test
  void repeatedCallSucceedsAgainWithTheSameAnswer() {
    String port =
        "{\"Proto\":6,\"IP\":\"\",\"Port\":80,\"HostIP\":\"\",\"HostPort\":8080,\"HostPortEnd\":8080}";
    String program =
        Bodies.endpoint(NETWORK, ENDPOINT)
            .replace("}", ",\"Options\":{\"com.docker.network.portmap\":[" + port + "]}}");
    twice("IpamDriver.RequestPool", Bodies.requestPool("10.1.0.0/16"));
    twice("NetworkDriver.CreateNetwork", Bodies.createNetwork(NETWORK, "10.1.0.0/16", 1, gateway));
    twice("NetworkDriver.CreateEndpoint", Bodies.createEndpoint(NETWORK, ENDPOINT, address));
    twice("NetworkDriver.Join", Bodies.join(NETWORK, ENDPOINT, "/run/docker/netns/one"));
    twice("NetworkDriver.ProgramExternalConnectivity", program);
    twice("NetworkDriver.EndpointOperInfo", Bodies.endpoint(NETWORK, ENDPOINT));
    twice("NetworkDriver.RevokeExternalConnectivity", Bodies.endpoint(NETWORK, ENDPOINT));
    twice("NetworkDriver.Leave", Bodies.endpoint(NETWORK, ENDPOINT));
    twice("NetworkDriver.DeleteEndpoint", Bodies.endpoint(NETWORK, ENDPOINT));
    twice("IpamDriver.ReleaseAddress", POOL + ",\"Address\":\"" + bare(address) + "\"}");
    twice("IpamDriver.ReleasePool", POOL + "}");
    twice("NetworkDriver.DeleteNetwork", Bodies.network(NETWORK));
  }

  @Test
  void knownIdWithOtherContentIsRefused() {
    refused(
        "NetworkDriver.CreateNetwork",
        Bodies.createNetwork(NETWORK, "10.1.0.0/16", 2, gateway),
        NETWORK);
    refused(
        "NetworkDriver.CreateNetwork",
        Bodies.createNetwork(NETWORK, "10.3.0.0/16", 1, gateway),
        NETWORK);
    refused(
        "NetworkDriver.CreateEndpoint",
        Bodies.createEndpoint(NETWORK, ENDPOINT, Site.at(address, 99) + "/24"),
        ENDPOINT);
    refused(
        "NetworkDriver.CreateEndpoint",
        Bodies.createEndpoint(NETWORK, OTHER, address),
        bare(address));
    accepted("NetworkDriver.Join", Bodies.join(NETWORK, ENDPOINT, "/run/docker/netns/one"));
    refused(
        "NetworkDriver.Join",
        Bodies.join(NETWORK, ENDPOINT, "/run/docker/netns/two"),
        "/run/docker/netns/one");
  }

  @Test
  void unknownIdIsRefusedWhereSomethingIsWantedOfItAndNoErrorWhereItShallGo() {
    refused(
        "NetworkDriver.CreateEndpoint",
        Bodies.createEndpoint(OTHER, OTHER, Site.at(address, 98) + "/24"),
        OTHER);
    refused("NetworkDriver.Join", Bodies.join(NETWORK, OTHER, "/run/docker/netns/one"), OTHER);
    refused(
        "NetworkDriver.ProgramExternalConnectivity",
        Bodies.endpoint(NETWORK, OTHER).replace("}", ",\"Options\":{}}"),
        OTHER);
    refused(
        "IpamDriver.RequestAddress",
        "{\"PoolID\":\"flannelvlan/10.9.0.0/16\",\"Address\":\"\"}",
        "10.9.0.0/16");
    refused(
        "IpamDriver.RequestAddress", "{\"PoolID\":\"their/pool\",\"Address\":\"\"}", "their/pool");
    List<String> before = state();
    accepted("NetworkDriver.EndpointOperInfo", Bodies.endpoint(NETWORK, OTHER));
    accepted("NetworkDriver.RevokeExternalConnectivity", Bodies.endpoint(NETWORK, OTHER));
    accepted("NetworkDriver.Leave", Bodies.endpoint(NETWORK, OTHER));
    accepted("NetworkDriver.DeleteEndpoint", Bodies.endpoint(NETWORK, OTHER));
    accepted("NetworkDriver.DeleteNetwork", Bodies.network(OTHER));
    accepted(
        "IpamDriver.ReleaseAddress",
        "{\"PoolID\":\"flannelvlan/10.9.0.0/16\",\"Address\":\"10.9.1.2\"}");
    accepted("IpamDriver.ReleasePool", "{\"PoolID\":\"flannelvlan/10.9.0.0/16\"}");
    accepted("IpamDriver.ReleasePool", "{\"PoolID\":\"their/pool\"}");
    assertThat(state()).isEqualTo(before);
  }

  @Test
  void callOutOfOrderIsRefused() {
    accepted("NetworkDriver.Join", Bodies.join(NETWORK, ENDPOINT, "/run/docker/netns/one"));
    accepted("NetworkDriver.Leave", Bodies.endpoint(NETWORK, ENDPOINT));
    // Its links go in the background.
    Await.until(
        Duration.ofSeconds(5),
        () -> "left: " + site.kernelRemains(host),
        () -> site.kernelRemains(host).stream().noneMatch(what -> what.contains("fvbbbb")));
    refused(
        "NetworkDriver.Join", Bodies.join(NETWORK, ENDPOINT, "/run/docker/netns/one"), ENDPOINT);
    // A network whose pool nobody asked for: there is no gateway that tells the subnet.
    refused(
        "NetworkDriver.CreateNetwork",
        Bodies.createNetwork(OTHER, "10.5.0.0/16", 5, gateway)
            .replaceAll(",\"Gateway\":\"[^\"]*\"", ""),
        "gateway");
    refused(
        "NetworkDriver.CreateEndpoint",
        Bodies.createEndpoint(NETWORK, OTHER, "10.77.1.2/24"),
        "10.77.1.2");
  }

  @Test
  void networkThatGoesWithItsEndpointsLeavesNothing() {
    accepted("NetworkDriver.Join", Bodies.join(NETWORK, ENDPOINT, "/run/docker/netns/one"));
    accepted("NetworkDriver.DeleteNetwork", Bodies.network(NETWORK));
    site.nothingRemains(host);
    refused(
        "NetworkDriver.Join", Bodies.join(NETWORK, ENDPOINT, "/run/docker/netns/one"), ENDPOINT);
  }

  @Test
  void bodyThatCannotBeReadIsRefusedAndTheNextCallIsServed() {
    String network = Bodies.createNetwork(OTHER, "10.5.0.0/16", 5, gateway);
    String endpoint = Bodies.createEndpoint(NETWORK, OTHER, Site.at(address, 97) + "/24");
    for (String bad :
        List.of(
            "",
            "{",
            "null",
            "[]",
            "\"text\"",
            "{}",
            network.substring(0, network.length() / 2),
            network.replace('"' + OTHER + '"', "7"),
            network.replace("\"10.5.0.0/16\"", "\"10.5.0.0/33\""),
            network.replace("\"10.5.0.0/16\"", "{}"),
            network.replace("[{", "{\"x\":{").replace("}]", "}}"),
            network.replace("\"vni\":\"5\"", "\"vni\":[5]"),
            "[".repeat(100_000),
            "{\"NetworkID\":\"" + "x".repeat(2_000_000) + "\"}")) {
      malformed("NetworkDriver.CreateNetwork", bad);
    }
    for (String bad :
        List.of(
            endpoint.replace("/24\"", "\""),
            endpoint.replace("/24\"", "/24/24\""),
            endpoint.replace("\"MacAddress\":\"\"", "\"MacAddress\":\"zz:00\""),
            endpoint.replace('"' + OTHER + '"', "\"../../etc\""))) {
      malformed("NetworkDriver.CreateEndpoint", bad);
    }
    malformed(
        "IpamDriver.RequestPool",
        "{\"AddressSpace\":\"flannelvlan\",\"Pool\":\"here\",\"V6\":false}");
    malformed(
        "IpamDriver.RequestPool", Bodies.requestPool("10.5.0.0/16").replace("false", "\"maybe\""));
    malformed("IpamDriver.RequestAddress", POOL + ",\"Address\":\"10.1.300.1\"}");
    assertThat(Wire.call(host, "NetworkDriver.Dance", "{}").status()).isEqualTo(404);
    accepted("NetworkDriver.EndpointOperInfo", Bodies.endpoint(NETWORK, ENDPOINT));
  }

  @Test
  void secondInstanceLeavesTheLiveOneAlone() {
    List<String> before = state();
    Path program = Path.of("../driver/target/dist/bin/flannelvlan").toAbsolutePath().normalize();
    String other = site.lab().dir().resolve("other-state").toString();
    Result second =
        host.in(
            "timeout",
            "20",
            "env",
            "JAVA_HOME=" + System.getProperty("java.home"),
            "ETCD_ENDPOINTS=" + Etcd.ENDPOINT,
            "STATE_DIR=" + other,
            program.toString(),
            "serve");
    assertThat(second.exit()).isNotZero().isNotEqualTo(124);
    assertThat(second.out() + second.err()).contains("/run/docker/plugins/flannelvlan.sock");
    assertThat(host.plugin().alive()).isTrue();
    assertThat(state()).isEqualTo(before);
  }

  @Test
  void socketGoesWithThePluginAndAStaleOneDoesNotHinderTheNext() {
    Path socket = host.pluginSocket();
    assertThat(host.plugin().stop()).isZero();
    assertThat(socket).doesNotExist();
    host.plugin().start();
    host.plugin().kill();
    assertThat(socket).exists();
    host.plugin().start();
    assertThat(host.in("stat", "-c", "%a %U", "/run/docker/plugins/flannelvlan.sock").text())
        .isEqualTo("600 root");
    accepted("NetworkDriver.EndpointOperInfo", Bodies.endpoint(NETWORK, ENDPOINT));
  }

  private static void twice(String verb, String body) {
    String first = accepted(verb, body);
    assertThat(accepted(verb, body)).as(verb).isEqualTo(first);
  }

  private static String accepted(String verb, String body) {
    Wire.Reply reply = Wire.call(host, verb, body);
    assertThat(reply.ok()).as(verb + " " + body + ": " + reply.body()).isTrue();
    return reply.body();
  }

  private static void refused(String verb, String body, String named) {
    List<String> before = state();
    Wire.Reply reply = Wire.call(host, verb, body);
    assertThat(reply.status()).as(verb + " " + body).isEqualTo(500);
    assertThat(reply.body()).contains("\"Err\":\"", "\"Error\":\"", named);
    assertThat(state()).as("after " + verb + " " + body).isEqualTo(before);
  }

  private static void malformed(String verb, String body) {
    List<String> before = state();
    Wire.Reply reply = Wire.call(host, verb, body);
    String what = verb + " " + body.substring(0, Math.min(300, body.length()));
    assertThat(reply.status()).as(what).isBetween(400, 500);
    assertThat(reply.body()).as(what).contains("\"Err\":\"", "\"Error\":\"");
    assertThat(reply.body().length()).as(what).isLessThan(1000);
    assertThat(state()).as("after " + what).isEqualTo(before);
  }

  /** What the plugin remembers, has in the kernel and has in etcd. */
  private static List<String> state() {
    List<String> all = new ArrayList<>(site.remains(host));
    all.addAll(site.etcd().keys("/"));
    JournalLook.at(host.stateDir())
        .tables()
        .forEach((table, records) -> {
          // What etcd shows of other hosts is noted in the background.
          if (!table.equals("peers")) {
            records.forEach((key, value) -> all.add(table + " " + key + " " + value));
          }
        });
    return all;
  }

  private static String bare(String address) {
    return address.substring(0, address.indexOf('/'));
  }
}
