package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.NetworkApi;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.ipam.Refusals;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.List;
import java.util.Optional;

/** Docker's NetworkDriver verbs: each finds its object and records the wish. */
final class NetworkDriver implements NetworkApi {

  private final Networks networks;
  private final Endpoints endpoints;
  private final HostVlans vlans;
  private final PortPublishing ports;
  private final EndpointLocks locks = new EndpointLocks();

  NetworkDriver(Networks networks, Endpoints endpoints, HostVlans vlans, PortPublishing ports) {
    this.networks = networks;
    this.endpoints = endpoints;
    this.vlans = vlans;
    this.ports = ports;
  }

  @Override
  public void createNetwork(CreateNetworkRequest request) {
    Refusals.of(() -> networks.create(request));
  }

  @Override
  public void deleteNetwork(DeleteNetworkRequest request) {
    String id = request.networkId().text();
    Refusals.of(() -> {
      for (Endpoint endpoint : endpoints.of(id)) {
        locks.during(
            endpoint.id(),
            () -> {
              ports.withdraw(endpoint.id());
              return endpoint;
            });
      }
      networks.delete(id, endpoints::forgetAll);
    });
  }

  @Override
  public CreateEndpointResponse createEndpoint(CreateEndpointRequest request) {
    endpoints.supersededBy(request).ifPresent(over -> delete(over.id()));
    Endpoint endpoint = during(request.endpointId().text(), () -> endpoints.create(request));
    return new CreateEndpointResponse(
        request.endpointInterface().macAddress().isPresent()
            ? EndpointInterface.NONE
            : EndpointInterface.withMac(endpoint.mac()));
  }

  @Override
  public EndpointOperInfoResponse endpointOperInfo(EndpointOperInfoRequest request) {
    return EndpointOperInfoResponse.EMPTY;
  }

  @Override
  public void deleteEndpoint(DeleteEndpointRequest request) {
    delete(request.endpointId().text());
  }

  private void delete(String id) {
    during(
        id,
        () -> {
          ports.withdraw(id);
          endpoints.delete(id);
          return id;
        });
  }

  @Override
  public JoinResponse join(JoinRequest request) {
    String id = request.endpointId().text();
    Endpoint endpoint = during(id, () -> endpoints.join(id, request.sandboxKey()));
    Network network = networks.require(endpoint.network());
    Cidr range = vlans.byName(network.vlan()).map(HostVlan::range).orElse(network.pool());
    IpAddress gateway = endpoint.address().subnet().base().plus(1);
    return new JoinResponse(
        new InterfaceName(endpoint.sandboxLink(), "eth"),
        network.internal() ? Optional.empty() : Optional.of(gateway),
        Optional.empty(),
        // Beside the default route: a container in two networks has that from one of them only.
        List.of(new StaticRoute(range, Optional.of(gateway))),
        network.internal());
  }

  @Override
  public void leave(LeaveRequest request) {
    String id = request.endpointId().text();
    during(
        id,
        () -> {
          ports.withdraw(id);
          endpoints.leave(id);
          return id;
        });
  }

  @Override
  public void programExternalConnectivity(ProgramExternalConnectivityRequest request) {
    String id = request.endpointId().text();
    during(
        id,
        () -> {
          ports.publish(id, request.options().portMap());
          return id;
        });
  }

  @Override
  public void revokeExternalConnectivity(RevokeExternalConnectivityRequest request) {
    String id = request.endpointId().text();
    during(
        id,
        () -> {
          ports.withdraw(id);
          return id;
        });
  }

  private <T> T during(String endpoint, java.util.function.Supplier<T> work) {
    return Refusals.of(() -> locks.during(endpoint, work));
  }
}
