package io.flannelvlan.dockerplugin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.flannelvlan.dockerplugin.NetworkApi.AllocateNetworkRequest;
import io.flannelvlan.dockerplugin.NetworkApi.CreateEndpointRequest;
import io.flannelvlan.dockerplugin.NetworkApi.CreateNetworkRequest;
import io.flannelvlan.dockerplugin.NetworkApi.DeleteEndpointRequest;
import io.flannelvlan.dockerplugin.NetworkApi.DeleteNetworkRequest;
import io.flannelvlan.dockerplugin.NetworkApi.DiscoveryNotification;
import io.flannelvlan.dockerplugin.NetworkApi.EndpointInterface;
import io.flannelvlan.dockerplugin.NetworkApi.EndpointOperInfoRequest;
import io.flannelvlan.dockerplugin.NetworkApi.FreeNetworkRequest;
import io.flannelvlan.dockerplugin.NetworkApi.GwAllocCheckRequest;
import io.flannelvlan.dockerplugin.NetworkApi.GwAllocCheckResponse;
import io.flannelvlan.dockerplugin.NetworkApi.IpamData;
import io.flannelvlan.dockerplugin.NetworkApi.JoinRequest;
import io.flannelvlan.dockerplugin.NetworkApi.JoinResponse;
import io.flannelvlan.dockerplugin.NetworkApi.LeaveRequest;
import io.flannelvlan.dockerplugin.NetworkApi.NetworkOptions;
import io.flannelvlan.dockerplugin.NetworkApi.ProgramExternalConnectivityRequest;
import io.flannelvlan.dockerplugin.NetworkApi.RevokeExternalConnectivityRequest;
import io.flannelvlan.dockerplugin.NetworkApi.StaticRoute;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** {@code NetworkDriver} between JSON and records. */
final class NetworkVerbs {

  private static final String LABEL = "com.docker.network.";
  private static final String GENERIC = LABEL + "generic";
  private static final String INTERNAL = LABEL + "internal";
  private static final String ENABLE_IPV4 = LABEL + "enable_ipv4";
  private static final String ENABLE_IPV6 = LABEL + "enable_ipv6";
  private static final String PORT_MAP = LABEL + "portmap";
  private static final String EXPOSED_PORTS = LABEL + "endpoint.exposedports";
  private static final String NO_PROXY_6TO4 = LABEL + "driver.private.no_proxy_6to4";

  /** In base64, since it is bytes in Go; {@code Interface.MacAddress} says the same as text. */
  private static final String ENDPOINT_MAC = LABEL + "endpoint.macaddress";

  private static final Set<String> NOT_THE_USERS =
      Set.of(PORT_MAP, EXPOSED_PORTS, NO_PROXY_6TO4, ENDPOINT_MAC);

  static final Map<String, Verb<NetworkApi>> ALL = all();

  private NetworkVerbs() {}

  private static Map<String, Verb<NetworkApi>> all() {
    Map<String, Verb<NetworkApi>> verbs = new TreeMap<>(networks());
    verbs.putAll(endpoints());
    verbs.put("DiscoverNew", Verb.quiet(NetworkVerbs::discovery, NetworkApi::discoverNew));
    verbs.put("DiscoverDelete", Verb.quiet(NetworkVerbs::discovery, NetworkApi::discoverDelete));
    return Map.copyOf(verbs);
  }

  private static Map<String, Verb<NetworkApi>> networks() {
    Map<String, Verb<NetworkApi>> verbs = new TreeMap<>();
    verbs.put(
        "GwAllocCheck",
        Verb.of(
            f -> new GwAllocCheckRequest(networkOptions(f)),
            (api, r) -> reply(api.gwAllocCheck(r))));
    verbs.put(
        "AllocateNetwork",
        Verb.of(
            NetworkVerbs::allocateNetwork,
            (api, r) ->
                Json.object().set("Options", Json.texts(api.allocateNetwork(r).options()))));
    verbs.put(
        "FreeNetwork",
        Verb.quiet(f -> new FreeNetworkRequest(networkId(f)), NetworkApi::freeNetwork));
    verbs.put("CreateNetwork", Verb.quiet(NetworkVerbs::createNetwork, NetworkApi::createNetwork));
    verbs.put(
        "DeleteNetwork",
        Verb.quiet(f -> new DeleteNetworkRequest(networkId(f)), NetworkApi::deleteNetwork));
    return verbs;
  }

  private static Map<String, Verb<NetworkApi>> endpoints() {
    Map<String, Verb<NetworkApi>> verbs = new TreeMap<>();
    verbs.put("CreateEndpoint", Verb.of(NetworkVerbs::createEndpoint, NetworkVerbs::reply));
    verbs.put(
        "EndpointOperInfo",
        Verb.of(
            f -> new EndpointOperInfoRequest(networkId(f), endpointId(f)),
            (api, r) -> Json.object().set("Value", Json.texts(api.endpointOperInfo(r).value()))));
    verbs.put(
        "DeleteEndpoint",
        Verb.quiet(
            f -> new DeleteEndpointRequest(networkId(f), endpointId(f)),
            NetworkApi::deleteEndpoint));
    verbs.put("Join", Verb.of(NetworkVerbs::join, (api, r) -> reply(api.join(r))));
    verbs.put(
        "Leave", Verb.quiet(f -> new LeaveRequest(networkId(f), endpointId(f)), NetworkApi::leave));
    verbs.put(
        "ProgramExternalConnectivity",
        Verb.quiet(
            f ->
                new ProgramExternalConnectivityRequest(
                    networkId(f), endpointId(f), endpointOptions(f)),
            NetworkApi::programExternalConnectivity));
    verbs.put(
        "RevokeExternalConnectivity",
        Verb.quiet(
            f -> new RevokeExternalConnectivityRequest(networkId(f), endpointId(f)),
            NetworkApi::revokeExternalConnectivity));
    return verbs;
  }

  private static NetworkId networkId(Fields body) {
    return body.required("NetworkID", NetworkId::new);
  }

  private static EndpointId endpointId(Fields body) {
    return body.required("EndpointID", EndpointId::new);
  }

  private static NetworkOptions networkOptions(Fields body) {
    Fields options = body.object("Options");
    return new NetworkOptions(
        options.texts(GENERIC),
        options.flag(INTERNAL, false),
        options.flag(ENABLE_IPV4, true),
        options.flag(ENABLE_IPV6, false));
  }

  private static AllocateNetworkRequest allocateNetwork(Fields body) {
    return new AllocateNetworkRequest(
        networkId(body),
        body.texts("Options"),
        body.list("IPv4Data", NetworkVerbs::ipamData),
        body.list("IPv6Data", NetworkVerbs::ipamData));
  }

  private static CreateNetworkRequest createNetwork(Fields body) {
    return new CreateNetworkRequest(
        networkId(body),
        networkOptions(body),
        body.list("IPv4Data", NetworkVerbs::ipamData),
        body.list("IPv6Data", NetworkVerbs::ipamData));
  }

  private static IpamData ipamData(Fields data) {
    return new IpamData(
        data.text("AddressSpace"),
        data.required("Pool", Cidr::parse),
        data.optional("Gateway", InterfaceAddress::parse),
        data.values("AuxAddresses", InterfaceAddress::parse));
  }

  private static CreateEndpointRequest createEndpoint(Fields body) {
    Fields given = body.object("Interface");
    return new CreateEndpointRequest(
        networkId(body),
        endpointId(body),
        new EndpointInterface(
            given.optional("Address", InterfaceAddress::parse),
            given.optional("AddressIPv6", InterfaceAddress::parse),
            given.optional("MacAddress", MacAddress::parse)),
        endpointOptions(body));
  }

  private static JoinRequest join(Fields body) {
    return new JoinRequest(
        networkId(body), endpointId(body), body.required("SandboxKey"), endpointOptions(body));
  }

  private static EndpointOptions endpointOptions(Fields body) {
    Fields options = body.object("Options");
    Map<String, String> driverOpts = body.texts("Options");
    driverOpts.keySet().removeAll(NOT_THE_USERS);
    return new EndpointOptions(
        options.list(PORT_MAP, NetworkVerbs::portBinding),
        options.list(EXPOSED_PORTS, NetworkVerbs::exposedPort),
        options.flag(NO_PROXY_6TO4, false),
        driverOpts);
  }

  private static PortBinding portBinding(Fields port) {
    int hostPort = port.number("HostPort");
    int end = port.number("HostPortEnd");
    return new PortBinding(
        Protocol.of(port.number("Proto")),
        port.number("Port"),
        port.optional("HostIP", IpAddress::parse),
        hostPort,
        end == 0 ? hostPort : end);
  }

  private static ExposedPort exposedPort(Fields port) {
    return new ExposedPort(Protocol.of(port.number("Proto")), port.number("Port"));
  }

  private static DiscoveryNotification discovery(Fields body) {
    Fields data = body.object("DiscoveryData");
    return new DiscoveryNotification(
        body.number("DiscoveryType"),
        data.optional("Address", IpAddress::parse),
        data.flag("Self", false));
  }

  private static ObjectNode reply(GwAllocCheckResponse response) {
    return Json.object().put("SkipIPv4", response.skipIpv4()).put("SkipIPv6", response.skipIpv6());
  }

  private static ObjectNode reply(NetworkApi api, CreateEndpointRequest request) {
    EndpointInterface given = request.endpointInterface();
    EndpointInterface added = api.createEndpoint(request).endpointInterface();
    ObjectNode reply = Json.object();
    ObjectNode members = reply.putObject("Interface");
    Json.put(members, "Address", added("Address", given.address(), added.address()));
    Json.put(
        members, "AddressIPv6", added("AddressIPv6", given.addressIpv6(), added.addressIpv6()));
    Json.put(members, "MacAddress", added("MacAddress", given.macAddress(), added.macAddress()));
    return reply;
  }

  /** dockerd fails a call whose reply repeats what the request had, even unchanged. */
  private static <T> Optional<T> added(String name, Optional<T> given, Optional<T> added) {
    if (given.isEmpty() || added.isEmpty()) {
      return added;
    }
    if (!given.equals(added)) {
      throw new IllegalStateException(
          name + " is " + given.get() + " by dockerd's choice and can't become " + added.get());
    }
    return Optional.empty();
  }

  private static ObjectNode reply(JoinResponse response) {
    ObjectNode reply = Json.object();
    reply
        .putObject("InterfaceName")
        .put("SrcName", response.interfaceName().srcName())
        .put("DstPrefix", response.interfaceName().dstPrefix());
    Json.put(reply, "Gateway", response.gateway());
    Json.put(reply, "GatewayIPv6", response.gatewayIpv6());
    for (StaticRoute route : response.staticRoutes()) {
      ObjectNode element = reply.withArray("StaticRoutes").addObject();
      element.put("Destination", route.destination().toString());
      element.put("RouteType", route.nextHop().isPresent() ? 0 : 1);
      Json.put(element, "NextHop", route.nextHop());
    }
    if (response.disableGatewayService()) {
      reply.put("DisableGatewayService", true);
    }
    return reply;
  }
}
