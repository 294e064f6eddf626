package io.flannelvlan.dockerplugin;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Requests as dockerd would write them, made from the records alone. */
final class WireForm {

  private static final String LABEL = "com.docker.network.";

  private WireForm() {}

  static JsonNode of(Object request) {
    return DockerdPeer.JSON.valueToTree(
        request.getClass().getName().contains("IpamApi") ? ipam(request) : network(request));
  }

  private static Map<String, Object> network(Object request) {
    return switch (request) {
      case NetworkApi.CreateNetworkRequest r ->
          Map.of(
              "NetworkID", r.networkId().text(),
              "Options", options(r.options()),
              "IPv4Data", r.ipv4Data().stream().map(WireForm::ipamData).toList(),
              "IPv6Data", r.ipv6Data().stream().map(WireForm::ipamData).toList());
      case NetworkApi.DeleteNetworkRequest r -> Map.of("NetworkID", r.networkId().text());
      case NetworkApi.CreateEndpointRequest r ->
          with(
              ids(r.networkId(), r.endpointId()),
              Map.of(
                  "Interface", endpointInterface(r.endpointInterface()),
                  "Options", options(r.options())));
      case NetworkApi.EndpointOperInfoRequest r -> ids(r.networkId(), r.endpointId());
      case NetworkApi.DeleteEndpointRequest r -> ids(r.networkId(), r.endpointId());
      case NetworkApi.JoinRequest r ->
          with(
              ids(r.networkId(), r.endpointId()),
              Map.of("SandboxKey", r.sandboxKey(), "Options", options(r.options())));
      case NetworkApi.LeaveRequest r -> ids(r.networkId(), r.endpointId());
      case NetworkApi.ProgramExternalConnectivityRequest r ->
          with(ids(r.networkId(), r.endpointId()), Map.of("Options", options(r.options())));
      case NetworkApi.RevokeExternalConnectivityRequest r -> ids(r.networkId(), r.endpointId());
      default -> throw new IllegalArgumentException("never recorded: " + request);
    };
  }

  private static Map<String, Object> ipam(Object request) {
    return switch (request) {
      case IpamApi.RequestPoolRequest r ->
          Map.of(
              "AddressSpace", r.addressSpace(),
              "Pool", text(r.pool()),
              "SubPool", text(r.subPool()),
              "Options", r.options(),
              "V6", r.v6());
      case IpamApi.ReleasePoolRequest r -> Map.of("PoolID", r.poolId());
      case IpamApi.RequestAddressRequest r ->
          Map.of(
              "PoolID", r.poolId(),
              "Address", text(r.address()),
              "Options",
                  Map.of(
                      "RequestAddressType",
                      r.gateway() ? LABEL + "gateway" : "",
                      LABEL + "endpoint.macaddress",
                      text(r.macAddress()),
                      LABEL + "endpoint.name",
                      text(r.endpointName())));
      case IpamApi.ReleaseAddressRequest r ->
          Map.of("PoolID", r.poolId(), "Address", r.address().toString());
      default -> throw new IllegalArgumentException("never recorded: " + request);
    };
  }

  private static Map<String, Object> with(Map<String, Object> some, Map<String, Object> more) {
    Map<String, Object> all = new TreeMap<>(some);
    all.putAll(more);
    return all;
  }

  private static Map<String, Object> ids(NetworkId network, EndpointId endpoint) {
    return Map.of("NetworkID", network.text(), "EndpointID", endpoint.text());
  }

  private static String text(Optional<?> value) {
    return value.map(Object::toString).orElse("");
  }

  private static Map<String, Object> options(NetworkApi.NetworkOptions options) {
    return Map.of(
        LABEL + "generic", options.generic(),
        LABEL + "internal", options.internal(),
        LABEL + "enable_ipv4", options.enableIpv4(),
        LABEL + "enable_ipv6", options.enableIpv6());
  }

  private static Map<String, Object> ipamData(NetworkApi.IpamData data) {
    return new TreeMap<>(
        Map.of(
            "AddressSpace", data.addressSpace(),
            "Gateway", text(data.gateway()),
            "Pool", data.pool().toString()));
  }

  private static Map<String, Object> endpointInterface(NetworkApi.EndpointInterface given) {
    return Map.of(
        "Address", text(given.address()),
        "AddressIPv6", text(given.addressIpv6()),
        "MacAddress", text(given.macAddress()));
  }

  private static Map<String, Object> options(EndpointOptions options) {
    List<Map<String, Integer>> exposed =
        options.exposedPorts().stream()
            .map(p -> Map.of("Proto", p.proto().number(), "Port", p.port()))
            .toList();
    return with(
        new TreeMap<>(options.driverOpts()),
        Map.of(
            LABEL + "portmap", options.portMap().stream().map(WireForm::port).toList(),
            LABEL + "endpoint.exposedports", exposed,
            LABEL + "driver.private.no_proxy_6to4", options.noProxy6to4()));
  }

  private static Map<String, Object> port(PortBinding port) {
    return Map.of(
        "Proto", port.proto().number(),
        "IP", "",
        "Port", port.containerPort(),
        "HostIP", text(port.hostIp()),
        "HostPort", port.hostPort(),
        "HostPortEnd", port.hostPortEnd());
  }
}
