package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.NetworkApi;
import io.flannelvlan.dockerplugin.PortBinding;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.ipam.Refusals;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Docker's NetworkDriver verbs: each finds its object and records the wish. */
final class NetworkDriver implements NetworkApi {

  private final Networks networks;
  private final Endpoints endpoints;
  private final HostVlans vlans;
  private final PortPublishing ports;
  private final Calls calls;
  private final EndpointLocks locks = new EndpointLocks();

  NetworkDriver(
      Networks networks, Endpoints endpoints, HostVlans vlans, PortPublishing ports, Calls calls) {
    this.networks = networks;
    this.endpoints = endpoints;
    this.vlans = vlans;
    this.ports = ports;
    this.calls = calls;
  }

  @Override
  public void createNetwork(CreateNetworkRequest request) {
    String id = request.networkId().text();
    calls.about(id);
    Refusals.of(() -> networks.create(request));
    calls.about(id);
  }

  @Override
  public void deleteNetwork(DeleteNetworkRequest request) {
    deleteNetwork(request.networkId().text());
  }

  private void deleteNetwork(String id) {
    calls.about(id);
    Refusals.of(() -> {
      List<Endpoint> gone = endpoints.of(id);
      for (Endpoint endpoint : gone) {
        locks.during(endpoint.id(), () -> ports.withdraw(endpoint.id()));
      }
      networks.delete(id, endpoints::forgetAll);
      endpoints.publish(gone);
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
        });
  }

  @Override
  public void programExternalConnectivity(ProgramExternalConnectivityRequest request) {
    String id = request.endpointId().text();
    during(id, () -> ports.publish(id, request.options().portMap()));
  }

  @Override
  public void revokeExternalConnectivity(RevokeExternalConnectivityRequest request) {
    String id = request.endpointId().text();
    during(id, () -> ports.withdraw(id));
  }

  /**
   * As DeleteEndpoint and ReleaseAddress, which dockerd will not send any more; nothing if the
   * endpoint is another by now, or was spoken of since.
   */
  void giveUp(Endpoint endpoint, Duration since) {
    locks.during(
        endpoint.id(),
        () -> {
          if (endpoints.find(endpoint.id()).equals(Optional.of(endpoint))
              && !calls.since(endpoint.id(), since)) {
            ports.withdraw(endpoint.id());
            endpoints.giveUp(endpoint.id());
          }
        });
  }

  /** Takes the endpoint away with all that it has, its address too. */
  void giveUp(String id) {
    during(
        id,
        () -> {
          ports.withdraw(id);
          endpoints.giveUp(id);
        });
  }

  /**
   * Takes over a network that Docker has.
   *
   * @param asked when Docker was asked for it
   * @return false if dockerd spoke of it since
   */
  boolean takeOver(CreateNetworkRequest request, Duration asked) {
    String id = request.networkId().text();
    return networks.takeOver(request, () -> calls.since(id, asked));
  }

  /**
   * Takes over an endpoint that Docker has, in one commit with its ports, in place of what is known
   * of it.
   *
   * @param asked when Docker was asked for it
   * @return false if dockerd spoke of it since
   */
  boolean takeOver(Endpoint found, List<PortBinding> published, Duration asked) {
    return locks.during(
        found.id(),
        () -> {
          if (calls.since(found.id(), asked)) {
            return false;
          }
          List<HostPort> held = ports.takeOver(found.id(), published);
          try {
            endpoints.takeOver(found.publishing(held));
          } catch (RuntimeException e) {
            ports.letGo(found.id());
            throw e;
          }
          return true;
        });
  }

  /** As DeleteNetwork; nothing if the network is another by now, or was spoken of since. */
  void giveUp(Network network, Duration since) {
    if (networks.find(network.id()).equals(Optional.of(network))
        && !calls.since(network.id(), since)) {
      deleteNetwork(network.id());
    }
  }

  private <T> T during(String endpoint, Supplier<T> work) {
    calls.about(endpoint);
    try {
      return Refusals.of(() -> locks.during(endpoint, work));
    } finally {
      calls.about(endpoint);
    }
  }

  private void during(String endpoint, Runnable work) {
    during(endpoint, EndpointLocks.supplying(work));
  }
}
