package io.flannelvlan.driver;

import io.flannelvlan.dockerengine.Attachment;
import io.flannelvlan.dockerengine.DockerEngine;
import io.flannelvlan.dockerengine.EngineContainer;
import io.flannelvlan.dockerengine.EngineNetwork;
import io.flannelvlan.dockerengine.EnginePort;
import io.flannelvlan.dockerengine.NetworkSpec;
import io.flannelvlan.dockerplugin.IpamApi.RequestAddressRequest;
import io.flannelvlan.dockerplugin.IpamApi.RequestPoolRequest;
import io.flannelvlan.dockerplugin.IpamApi.RequestPoolResponse;
import io.flannelvlan.dockerplugin.NetworkApi.CreateNetworkRequest;
import io.flannelvlan.dockerplugin.NetworkApi.IpamData;
import io.flannelvlan.dockerplugin.NetworkApi.NetworkOptions;
import io.flannelvlan.dockerplugin.NetworkId;
import io.flannelvlan.dockerplugin.PortBinding;
import io.flannelvlan.dockerplugin.Protocol;
import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.ipam.Addresses;
import io.flannelvlan.ipam.IpamDriver;
import io.flannelvlan.ipam.Pools;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.time.Clock;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The calls by which dockerd once made what it has now.
 *
 * @param driverName as Docker calls us
 */
record RecalledCalls(String driverName, IpamDriver ipam, Addresses addresses, Clock clock) {

  /**
   * The CreateNetwork, once our IPAM has been asked for the pool again.
   *
   * @param state what the kernel still has of it
   * @throws Refused if the network could not be made like that
   */
  CreateNetworkRequest network(EngineNetwork network, KernelState state) {
    NetworkSpec spec = network.spec();
    if (spec.pools().size() != 1) {
      throw new Refused("it has " + spec.pools().size() + " subnets, and should have one");
    }
    NetworkSpec.Pool pool = spec.pools().getFirst();
    Cidr range = Cidr.parse(pool.subnet());
    boolean oursIpam = spec.ipamDriver().equals(driverName);
    Optional<InterfaceAddress> gateway =
        oursIpam
            ? pool(range, pool, subnetInUse(range, network, state), spec)
            : pool.gateway().map(g -> within(range, g));
    return new CreateNetworkRequest(
        new NetworkId(network.id()),
        new NetworkOptions(
            options(range, spec, state), spec.internal(), /* enableIpv4= */ true, spec.ipv6()),
        List.of(
            new IpamData(
                oursIpam ? Pools.ADDRESS_SPACE : "LocalDefault",
                range,
                gateway,
                pool.auxiliary().entrySet().stream()
                    .collect(
                        Collectors.toMap(Map.Entry::getKey, e -> within(range, e.getValue()))))),
        List.of());
  }

  /** The user's, and what else the VLAN is: etcd may have lost it, too. */
  private static Map<String, String> options(Cidr range, NetworkSpec spec, KernelState state) {
    Map<String, String> options = new TreeMap<>(spec.options());
    state
        .vlanIn(range)
        .ifPresent(vlan -> {
          options.putIfAbsent("network", vlan.name());
          options.putIfAbsent("vni", vlan.vni().toString());
          options.putIfAbsent("port", Integer.toString(vlan.port()));
        });
    return options;
  }

  /** That of containers that run: another one would be none of theirs. */
  private static Optional<Cidr> subnetInUse(Cidr range, EngineNetwork network, KernelState state) {
    return state
        .bridgeSubnet(range)
        .or(() ->
            network.attachments().stream()
                .flatMap(attachment -> attachment.assigned().stream())
                .map(InterfaceAddress::subnet)
                .findFirst());
  }

  /** What dockerd asks our IPAM for; the gateway that it is given. */
  private Optional<InterfaceAddress> pool(
      Cidr range, NetworkSpec.Pool pool, Optional<Cidr> inUse, NetworkSpec spec) {
    Optional<Cidr> asked = pool.ipRange().map(Cidr::parse);
    RequestPoolResponse given =
        ipam.requestPool(
            new RequestPoolRequest(
                Pools.ADDRESS_SPACE,
                Optional.of(range),
                asked
                    .filter(part -> inUse.filter(part::contains).isEmpty())
                    // Another network of the VLAN may have had a range.
                    .or(() -> ipam.ipRange(range))
                    .or(() -> inUse),
                spec.ipamOptions(),
                /* v6= */ false));
    for (String text : pool.auxiliary().values()) {
      IpAddress address = IpAddress.parse(text);
      if (isSetAside(address)) {
        continue;
      }
      ipam.requestAddress(
          new RequestAddressRequest(
              given.poolId(),
              Optional.of(address),
              /* gateway= */ false,
              Optional.empty(),
              Optional.empty()));
    }
    return given.gateway();
  }

  /** Since the first network of its VLAN was taken over, or at an attempt before. */
  private boolean isSetAside(IpAddress address) {
    return addresses.get(address).filter(held -> held.endpoint().isEmpty()).isPresent();
  }

  private static InterfaceAddress within(Cidr range, String address) {
    return new InterfaceAddress(IpAddress.parse(address), range.length());
  }

  /** The endpoint of one that is attached now, as it is after its Join. */
  Optional<Endpoint> endpoint(Attachment attachment) {
    return attachment
        .endpoint()
        .flatMap(id ->
            attachment
                .assigned()
                .map(address ->
                    new Endpoint(
                        id,
                        attachment.network(),
                        address,
                        attachment.mac().orElseGet(() -> MacAddress.ofEndpoint(address.address())),
                        Endpoint.State.JOINED,
                        "",
                        List.of(),
                        clock.instant())));
  }

  /**
   * Docker leads a container's ports to the first of its networks, by their names, that is not
   * internal.
   */
  static List<PortBinding> ports(
      Endpoint endpoint,
      DockerEngine engine,
      List<EngineContainer> containers,
      Set<String> internal) {
    return containers.stream()
        .filter(container ->
            container.attachments().stream()
                .filter(attachment -> !internal.contains(attachment.network()))
                .flatMap(attachment -> attachment.endpoint().stream())
                .findFirst()
                .equals(Optional.of(endpoint.id())))
        .flatMap(container -> engine.ports(container.id()).stream())
        .map(RecalledCalls::port)
        .toList();
  }

  private static PortBinding port(EnginePort port) {
    return new PortBinding(
        Protocol.valueOf(port.protocol().toUpperCase(Locale.ROOT)),
        port.containerPort(),
        port.hostIp(),
        port.hostPort(),
        port.hostPortEnd());
  }
}
