package io.flannelvlan.dockerplugin;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.util.Map;
import java.util.Optional;

/**
 * The verbs of {@code IpamDriver}, named as dockerd names them.
 *
 * <p>They carry neither network nor endpoint, and come before CreateNetwork and CreateEndpoint.
 * dockerd ignores errors of the two releases. A refusal is a {@link Refused}. GetCapabilities and
 * GetDefaultAddressSpaces are answered from the {@link Manifest}.
 */
public interface IpamApi {

  RequestPoolResponse requestPool(RequestPoolRequest request);

  /** Also rolls back; may come while addresses are out, and for an unknown pool. */
  void releasePool(ReleasePoolRequest request);

  RequestAddressResponse requestAddress(RequestAddressRequest request);

  /** May come for the gateway, for addresses never requested, twice, and for an unknown pool. */
  void releaseAddress(ReleaseAddressRequest request);

  /**
   * What this IPAM driver wants of dockerd.
   *
   * @param requiresMacAddress makes dockerd choose a MAC and send it with RequestAddress
   * @param requiresRequestReplay makes dockerd request all it knows again when it starts
   */
  record Capabilities(boolean requiresMacAddress, boolean requiresRequestReplay) {}

  /** The same name for both keeps engines from 27 on from asking for another pool for ever. */
  record DefaultAddressSpaces(String local, String global) {}

  /**
   * The addresses of one {@code --subnet}, or of a network that names none.
   *
   * @param pool {@code --subnet}
   * @param subPool {@code --ip-range}
   * @param options {@code --ipam-opt}
   * @param v6 whether it is for the network's IPv6 half
   */
  record RequestPoolRequest(
      String addressSpace,
      Optional<Cidr> pool,
      Optional<Cidr> subPool,
      Map<String, String> options,
      boolean v6) {

    public RequestPoolRequest {
      options = Map.copyOf(options);
    }
  }

  /**
   * The pool, under the name that dockerd will use for it.
   *
   * @param poolId dockerd keeps it and sends it back, possibly after reboots
   * @param gateway preset, so that dockerd requests none unless the user names one
   */
  record RequestPoolResponse(String poolId, Cidr pool, Optional<InterfaceAddress> gateway) {

    public RequestPoolResponse {
      if (poolId.isEmpty()) {
        throw new IllegalArgumentException("a pool needs an id");
      }
    }
  }

  record ReleasePoolRequest(String poolId) {}

  /**
   * One address for a container, a gateway or the user's own use.
   *
   * @param address {@code --ip}, {@code --gateway} or {@code --aux-address}; absent: any
   * @param gateway whether it is for the network's gateway
   * @param macAddress only if {@link Capabilities#requiresMacAddress} is true
   * @param endpointName the container's name, from 29.0 on
   */
  record RequestAddressRequest(
      String poolId,
      Optional<IpAddress> address,
      boolean gateway,
      Optional<MacAddress> macAddress,
      Optional<String> endpointName) {}

  /** The prefix length is what the container's link gets; it need not be the pool's. */
  record RequestAddressResponse(InterfaceAddress address) {}

  record ReleaseAddressRequest(String poolId, IpAddress address) {}
}
