package io.flannelvlan.dockerplugin;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.dockerplugin.NetworkApi.CreateEndpointRequest;
import io.flannelvlan.dockerplugin.NetworkApi.CreateEndpointResponse;
import io.flannelvlan.dockerplugin.NetworkApi.CreateNetworkRequest;
import io.flannelvlan.dockerplugin.NetworkApi.EndpointInterface;
import io.flannelvlan.dockerplugin.NetworkApi.IpamData;
import io.flannelvlan.dockerplugin.NetworkApi.JoinResponse;
import io.flannelvlan.dockerplugin.NetworkApi.NetworkOptions;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The codec, without a socket: what the recordings do not show. */
class VerbsTest {

  private static final NetworkId NETWORK = new NetworkId("n1");
  private static final EndpointId ENDPOINT = new EndpointId("e1");
  private static final String IDS = "{\"NetworkID\":\"n1\",\"EndpointID\":\"e1\"";

  private final TestingNetwork network = new TestingNetwork();
  private final TestingIpam ipam = new TestingIpam();
  private final Routes routes = new Routes(Served.MANIFEST, Duration.ZERO);

  @BeforeEach
  void ready() {
    routes.ready(new Handlers(network, ipam));
  }

  private String answer(String verb, String body) {
    Reply reply = routes.read(verb, body.getBytes(StandardCharsets.UTF_8)).perform();
    return reply.status() + " " + reply.body();
  }

  @Test
  void keysAreFoundInAnyCaseAndUnknownOnesIgnored() {
    answer(
        "NetworkDriver.CreateNetwork",
        """
        {"networkid":"n1","OPTIONS":{"com.docker.network.generic":{"vni":"2","VNI":"3"},"new":[1]},
         "Ipv4Data":[{"pool":"10.2.0.0/16","GATEWAY":"10.2.20.1/24","Later":{}}],"X":null}
        """);
    assertThat(network.requests)
        .containsExactly(
            new CreateNetworkRequest(
                NETWORK,
                new NetworkOptions(Map.of("vni", "2", "VNI", "3"), false, true, false),
                List.of(
                    new IpamData(
                        "",
                        Cidr.parse("10.2.0.0/16"),
                        Optional.of(InterfaceAddress.parse("10.2.20.1/24")),
                        Map.of())),
                List.of()));
  }

  @Test
  void nullAndAbsentAreEmpty() {
    answer(
        "NetworkDriver.CreateNetwork",
        """
        {"NetworkID":"n1","Options":null,"IPv4Data":null,"IPv6Data":null}
        """);
    answer("NetworkDriver.CreateNetwork", "{\"NetworkID\":\"n1\"}");
    CreateNetworkRequest nothing =
        new CreateNetworkRequest(
            NETWORK, new NetworkOptions(Map.of(), false, true, false), List.of(), List.of());
    assertThat(network.requests).containsExactly(nothing, nothing);
    answer("NetworkDriver.CreateEndpoint", IDS + ",\"Interface\":null,\"Options\":null}");
    assertThat(network.requests)
        .contains(
            new CreateEndpointRequest(
                NETWORK, ENDPOINT, EndpointInterface.NONE, EndpointOptions.NONE));
  }

  @Test
  void auxAddressesAndNullIpamAreRead() {
    answer(
        "NetworkDriver.CreateNetwork",
        """
        {"NetworkID":"n1","Options":{"com.docker.network.enable_ipv4":false},
         "IPv4Data":[{"AddressSpace":"null","Pool":"0.0.0.0/0",
           "AuxAddresses":{"dns":"10.2.20.2/24","DNS":"10.2.20.3/24"}}]}
        """);
    assertThat(network.requests)
        .containsExactly(
            new CreateNetworkRequest(
                NETWORK,
                new NetworkOptions(Map.of(), false, false, false),
                List.of(
                    new IpamData(
                        "null",
                        Cidr.parse("0.0.0.0/0"),
                        Optional.empty(),
                        Map.of(
                            "dns", InterfaceAddress.parse("10.2.20.2/24"),
                            "DNS", InterfaceAddress.parse("10.2.20.3/24")))),
                List.of()));
  }

  @Test
  void portsAndDriverOptionsAreRead() {
    answer(
        "NetworkDriver.CreateEndpoint",
        IDS
            + """
            ,"Options":{"com.docker.network.endpoint.exposedports":[{"Proto":132,"Port":9}],
             "com.docker.network.portmap":[
               {"Proto":6,"IP":"","Port":80,"HostIP":"127.0.0.1","HostPort":8080,"HostPortEnd":8090},
               {"Proto":17,"Port":53,"HostIP":"","HostPort":0,"HostPortEnd":0},
               {"Proto":17,"Port":53,"HostIP":"::1","HostPort":53}],
             "com.docker.network.endpoint.macaddress":"AkIKAgB3",
             "com.docker.network.driver.private.no_proxy_6to4":true,
             "com.docker.network.endpoint.dnsservers":["10.0.0.1"],"a":"b","n":null,"t":true,"i":7}}
            """);
    PortBinding range =
        new PortBinding(Protocol.TCP, 80, Optional.of(IpAddress.parse("127.0.0.1")), 8080, 8090);
    PortBinding any = new PortBinding(Protocol.UDP, 53, Optional.empty(), 0, 0);
    PortBinding one =
        new PortBinding(Protocol.UDP, 53, Optional.of(IpAddress.parse("::1")), 53, 53);
    assertThat(any.isEphemeral()).isTrue();
    assertThat(one.isEphemeral()).isFalse();
    assertThat(network.requests)
        .containsExactly(
            new CreateEndpointRequest(
                NETWORK,
                ENDPOINT,
                EndpointInterface.NONE,
                new EndpointOptions(
                    List.of(range, any, one),
                    List.of(new ExposedPort(Protocol.SCTP, 9)),
                    true,
                    Map.of(
                        "com.docker.network.endpoint.dnsservers", "[\"10.0.0.1\"]",
                        "a", "b",
                        "n", "",
                        "t", "true",
                        "i", "7"))));
  }

  @Test
  void tenThousandPublishedPortsAreNotTooMany() {
    String port = "{\"Proto\":6,\"IP\":\"\",\"Port\":80,\"HostIP\":\"\",\"HostPort\":8080},";
    String ports = port.repeat(10_000).replaceFirst(",$", "");
    String body = IDS + ",\"Options\":{\"com.docker.network.portmap\":[" + ports + "]}}";
    assertThat(answer("NetworkDriver.CreateEndpoint", body)).startsWith("200 ");
  }

  @Test
  void memberThatDockerdGaveIsLeftOutOfTheReply() {
    String given =
        ",\"Interface\":{\"Address\":\"10.2.20.5/24\",\"MacAddress\":\"02:42:0a:02:00:77\"}}";
    EndpointInterface all =
        new EndpointInterface(
            Optional.of(InterfaceAddress.parse("10.2.20.5/24")),
            Optional.of(InterfaceAddress.parse("fd00::5/64")),
            Optional.of(MacAddress.parse("02:42:0a:02:00:77")));
    network.answers = _ -> Optional.of(new CreateEndpointResponse(all));
    assertThat(answer("NetworkDriver.CreateEndpoint", IDS + given))
        .isEqualTo("200 {\"Interface\":{\"AddressIPv6\":\"fd00::5/64\"}}");
    assertThat(answer("NetworkDriver.CreateEndpoint", IDS + "}"))
        .isEqualTo(
            "200 {\"Interface\":{\"Address\":\"10.2.20.5/24\",\"AddressIPv6\":\"fd00::5/64\","
                + "\"MacAddress\":\"02:42:0a:02:00:77\"}}");
  }

  @Test
  void memberThatDockerdGaveCannotBeChanged() {
    network.answers =
        _ ->
            Optional.of(
                new CreateEndpointResponse(
                    EndpointInterface.withMac(MacAddress.parse("0a:58:00:00:00:01"))));
    assertThat(
            answer(
                "NetworkDriver.CreateEndpoint",
                IDS + ",\"Interface\":{\"MacAddress\":\"02:42:0a:02:00:77\"}}"))
        .startsWith("500 ")
        .contains("MacAddress is 02:42:0a:02:00:77 by dockerd's choice");
  }

  @Test
  void joinRepliesWithRoutesOfBothKinds() {
    network.answers =
        _ ->
            Optional.of(
                new JoinResponse(
                    new NetworkApi.InterfaceName("fc51f2a9c0d1b2", "eth"),
                    Optional.empty(),
                    Optional.of(IpAddress.parse("fd00::1")),
                    List.of(
                        new NetworkApi.StaticRoute(
                            Cidr.parse("10.2.0.0/16"), Optional.of(IpAddress.parse("10.2.20.1"))),
                        new NetworkApi.StaticRoute(Cidr.parse("10.9.0.0/16"), Optional.empty())),
                    true));
    assertThat(answer("NetworkDriver.Join", IDS + ",\"SandboxKey\":\"/run/docker/netns/1\"}"))
        .isEqualTo(
            "200 {\"InterfaceName\":{\"SrcName\":\"fc51f2a9c0d1b2\",\"DstPrefix\":\"eth\"},"
                + "\"GatewayIPv6\":\"fd00::1\",\"StaticRoutes\":["
                + "{\"Destination\":\"10.2.0.0/16\",\"RouteType\":0,\"NextHop\":\"10.2.20.1\"},"
                + "{\"Destination\":\"10.9.0.0/16\",\"RouteType\":1}],"
                + "\"DisableGatewayService\":true}");
  }

  @Test
  void poolRepliesWithItsPresetGateway() {
    ipam.answers =
        _ ->
            Optional.of(
                new IpamApi.RequestPoolResponse(
                    "flannelvlan/10.2.0.0/16",
                    Cidr.parse("10.2.0.0/16"),
                    Optional.of(InterfaceAddress.parse("10.2.20.1/24"))));
    assertThat(answer("IpamDriver.RequestPool", "{\"AddressSpace\":\"flannelvlan\",\"V6\":true}"))
        .isEqualTo(
            "200 {\"PoolID\":\"flannelvlan/10.2.0.0/16\",\"Pool\":\"10.2.0.0/16\","
                + "\"Data\":{\"com.docker.network.gateway\":\"10.2.20.1/24\"}}");
    assertThat(ipam.requests)
        .containsExactly(
            new IpamApi.RequestPoolRequest(
                "flannelvlan", Optional.empty(), Optional.empty(), Map.of(), true));
  }

  @Test
  void addressOfANamedContainerIsRead() {
    answer(
        "IpamDriver.RequestAddress",
        """
        {"PoolID":"p","Address":"","Options":{"com.docker.network.endpoint.name":"web1"}}
        """);
    assertThat(ipam.requests)
        .containsExactly(
            new IpamApi.RequestAddressRequest(
                "p", Optional.empty(), false, Optional.empty(), Optional.of("web1")));
  }

  @Test
  void verbsOfASwarmHaveTheirAnswers() {
    assertThat(answer("NetworkDriver.GwAllocCheck", "{\"Options\":{}}"))
        .isEqualTo("200 {\"SkipIPv4\":false,\"SkipIPv6\":false}");
    assertThat(
            answer(
                "NetworkDriver.AllocateNetwork",
                "{\"NetworkID\":\"x7ab\",\"Options\":{\"vni\":\"2\"},\"IPv6Data\":null}"))
        .startsWith("500 ")
        .contains("local scope");
    assertThat(answer("NetworkDriver.FreeNetwork", "{\"NetworkID\":\"x7ab\"}")).isEqualTo("200 {}");
    assertThat(
            answer(
                "NetworkDriver.DiscoverNew",
                "{\"DiscoveryType\":1,\"DiscoveryData\":{\"Address\":\"10.1.1.1\",\"Self\":true}}"))
        .isEqualTo("200 {}");
    assertThat(network.requests)
        .contains(
            new NetworkApi.DiscoveryNotification(
                1, Optional.of(IpAddress.parse("10.1.1.1")), true));
    assertThat(answer("NetworkDriver.DiscoverDelete", "{\"DiscoveryType\":1}")).isEqualTo("200 {}");
  }
}
