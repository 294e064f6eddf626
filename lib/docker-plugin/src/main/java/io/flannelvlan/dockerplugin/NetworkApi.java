package io.flannelvlan.dockerplugin;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The verbs of {@code NetworkDriver}, named as dockerd names them.
 *
 * <p>Any verb may come again with the same content: dockerd repeats a call after a transport error.
 * It runs verbs in parallel, also for one network. It ignores errors of DeleteNetwork,
 * DeleteEndpoint, Leave and RevokeExternalConnectivity, so refusing those keeps nothing. A refusal
 * is a {@link Refused}. GetCapabilities is answered from the {@link Manifest}.
 */
public interface NetworkApi {

  /** Comes before all else of a {@code network create}, if {@link Capabilities} ask for it. */
  default GwAllocCheckResponse gwAllocCheck(GwAllocCheckRequest request) {
    return new GwAllocCheckResponse(false, false);
  }

  /** Only at a swarm's leader and only for a driver of global scope. */
  default AllocateNetworkResponse allocateNetwork(AllocateNetworkRequest request) {
    throw new Refused(
        "network "
            + request.networkId()
            + ": flannelvlan is a driver of local scope; create the network on each host");
  }

  /** The reverse of {@link #allocateNetwork}. */
  default void freeNetwork(FreeNetworkRequest request) {}

  /** After a refusal no DeleteNetwork follows. Not repeated when dockerd or the host restarts. */
  void createNetwork(CreateNetworkRequest request);

  /** Comes after the pool is released, possibly for an unknown network. */
  void deleteNetwork(DeleteNetworkRequest request);

  /** After a refusal no DeleteEndpoint follows; the address is released through IPAM. */
  CreateEndpointResponse createEndpoint(CreateEndpointRequest request);

  /** Must be fast and must not fail: it comes for each endpoint around every connect. */
  EndpointOperInfoResponse endpointOperInfo(EndpointOperInfoRequest request);

  /** May come for an endpoint that never joined, is gone or was never known. */
  void deleteEndpoint(DeleteEndpointRequest request);

  /** Names the link to move; dockerd moves and renames it after the answer. */
  JoinResponse join(JoinRequest request);

  /** Comes before dockerd takes the link out of the container; also after a Join that failed. */
  void leave(LeaveRequest request);

  /** Publishes the ports of the endpoint that has become its container's default gateway. */
  void programExternalConnectivity(ProgramExternalConnectivityRequest request);

  /** May be left out by dockerd: Leave and DeleteEndpoint must end the publishing as well. */
  void revokeExternalConnectivity(RevokeExternalConnectivityRequest request);

  /** A swarm node came; never needed by flannelvlan, which knows its peers from etcd. */
  default void discoverNew(DiscoveryNotification notification) {}

  /** A swarm node went. */
  default void discoverDelete(DiscoveryNotification notification) {}

  /** How far something reaches. */
  enum Scope {
    LOCAL,
    GLOBAL
  }

  /**
   * What this driver is, in dockerd's terms.
   *
   * @param connectivityScope only a swarm reads it
   * @param gwAllocChecker asks engines from 28.0 on for {@link #gwAllocCheck}
   */
  record Capabilities(Scope scope, Scope connectivityScope, boolean gwAllocChecker) {}

  /**
   * What the user asked of the network itself.
   *
   * @param generic what the user gave as {@code --opt}
   * @param enableIpv4 true where an engine before 28 says nothing
   */
  record NetworkOptions(
      Map<String, String> generic, boolean internal, boolean enableIpv4, boolean enableIpv6) {

    public NetworkOptions {
      generic = Map.copyOf(generic);
    }
  }

  /** {@code options} are those of the coming CreateNetwork. */
  record GwAllocCheckRequest(NetworkOptions options) {}

  /** Whether to leave out asking IPAM for a gateway that the user did not name. */
  record GwAllocCheckResponse(boolean skipIpv4, boolean skipIpv6) {}

  record AllocateNetworkRequest(
      NetworkId networkId,
      Map<String, String> options,
      List<IpamData> ipv4Data,
      List<IpamData> ipv6Data) {

    public AllocateNetworkRequest {
      options = Map.copyOf(options);
      ipv4Data = List.copyOf(ipv4Data);
      ipv6Data = List.copyOf(ipv6Data);
    }
  }

  /** {@code options} replace the user's at all workers. */
  record AllocateNetworkResponse(Map<String, String> options) {

    public AllocateNetworkResponse {
      options = Map.copyOf(options);
    }
  }

  record FreeNetworkRequest(NetworkId networkId) {}

  /** {@code ipv4Data} has one element for each {@code --subnet}. */
  record CreateNetworkRequest(
      NetworkId networkId,
      NetworkOptions options,
      List<IpamData> ipv4Data,
      List<IpamData> ipv6Data) {

    public CreateNetworkRequest {
      ipv4Data = List.copyOf(ipv4Data);
      ipv6Data = List.copyOf(ipv6Data);
    }
  }

  /**
   * What an IPAM driver gave for one subnet.
   *
   * @param addressSpace {@code LocalDefault} if it was Docker's own, {@code null} (as a word) if
   *     none
   * @param gateway absent if none was allocated
   * @param auxAddresses reserved addresses by the user's names
   */
  record IpamData(
      String addressSpace,
      Cidr pool,
      Optional<InterfaceAddress> gateway,
      Map<String, InterfaceAddress> auxAddresses) {

    public IpamData {
      auxAddresses = Map.copyOf(auxAddresses);
    }
  }

  record DeleteNetworkRequest(NetworkId networkId) {}

  record CreateEndpointRequest(
      NetworkId networkId,
      EndpointId endpointId,
      EndpointInterface endpointInterface,
      EndpointOptions options) {}

  /** What is known about the link in the container. */
  record EndpointInterface(
      Optional<InterfaceAddress> address,
      Optional<InterfaceAddress> addressIpv6,
      Optional<MacAddress> macAddress) {

    public static final EndpointInterface NONE =
        new EndpointInterface(Optional.empty(), Optional.empty(), Optional.empty());

    /** Nothing but this hardware address. */
    public static EndpointInterface withMac(MacAddress mac) {
      return new EndpointInterface(Optional.empty(), Optional.empty(), Optional.of(mac));
    }
  }

  /**
   * What the driver adds. A member that the request already had must stay absent, else dockerd
   * fails the call; the codec leaves such a member out.
   */
  record CreateEndpointResponse(EndpointInterface endpointInterface) {}

  record EndpointOperInfoRequest(NetworkId networkId, EndpointId endpointId) {}

  /** dockerd reads nothing from it for a remote driver. */
  record EndpointOperInfoResponse(Map<String, String> value) {

    public static final EndpointOperInfoResponse EMPTY = new EndpointOperInfoResponse(Map.of());

    public EndpointOperInfoResponse {
      value = Map.copyOf(value);
    }
  }

  record DeleteEndpointRequest(NetworkId networkId, EndpointId endpointId) {}

  /**
   * The endpoint goes into a sandbox.
   *
   * @param sandboxKey path of the sandbox; before 28.0 no usable namespace is there yet
   * @param options ports of the whole container
   */
  record JoinRequest(
      NetworkId networkId, EndpointId endpointId, String sandboxKey, EndpointOptions options) {}

  /**
   * What dockerd is to do in the sandbox.
   *
   * @param gateway absent for an internal network, else the user's traffic leaks through it
   * @param disableGatewayService keeps dockerd from adding a link on its docker_gwbridge
   */
  record JoinResponse(
      InterfaceName interfaceName,
      Optional<IpAddress> gateway,
      Optional<IpAddress> gatewayIpv6,
      List<StaticRoute> staticRoutes,
      boolean disableGatewayService) {

    public JoinResponse {
      staticRoutes = List.copyOf(staticRoutes);
    }
  }

  /**
   * Which link to move, and what to call it there.
   *
   * @param srcName the link in dockerd's namespace, at most 15 bytes
   * @param dstPrefix its name in the container, less the number that dockerd adds
   */
  record InterfaceName(String srcName, String dstPrefix) {

    public InterfaceName {
      if (srcName.isEmpty() || srcName.length() > 15) {
        throw new IllegalArgumentException("\"" + srcName + "\" can't be a link's name");
      }
    }
  }

  /** A route for the container; connected, that is without a next hop, or through one. */
  record StaticRoute(Cidr destination, Optional<IpAddress> nextHop) {

    public StaticRoute {
      // From 28.0 on dockerd then looks for a connected default route and fails the join.
      if (destination.length() == 0 && nextHop.isPresent()) {
        throw new IllegalArgumentException("a default route goes into the reply's gateway");
      }
    }
  }

  record LeaveRequest(NetworkId networkId, EndpointId endpointId) {}

  record ProgramExternalConnectivityRequest(
      NetworkId networkId, EndpointId endpointId, EndpointOptions options) {}

  record RevokeExternalConnectivityRequest(NetworkId networkId, EndpointId endpointId) {}

  /**
   * A node that came or went.
   *
   * @param discoveryType 1 for a node, the only one that reaches remote drivers
   * @param self whether the node is this one
   */
  record DiscoveryNotification(int discoveryType, Optional<IpAddress> address, boolean self) {}
}
