package io.flannelvlan.driver;

import io.flannelvlan.cni.CniApi.Attached;
import io.flannelvlan.cni.CniApi.Expected;
import io.flannelvlan.cni.CniApi.Wish;
import io.flannelvlan.cni.CniException;
import io.flannelvlan.cni.CniException.Code;
import io.flannelvlan.dockerplugin.EndpointId;
import io.flannelvlan.dockerplugin.EndpointOptions;
import io.flannelvlan.dockerplugin.IpamApi.ReleaseAddressRequest;
import io.flannelvlan.dockerplugin.IpamApi.RequestAddressRequest;
import io.flannelvlan.dockerplugin.NetworkApi.CreateEndpointRequest;
import io.flannelvlan.dockerplugin.NetworkApi.EndpointInterface;
import io.flannelvlan.dockerplugin.NetworkApi.JoinRequest;
import io.flannelvlan.dockerplugin.NetworkId;
import io.flannelvlan.driver.kernel.KernelLink;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.driver.kernel.Sandbox;
import io.flannelvlan.ipam.IpamDriver;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A container's links, made by the verbs that dockerd would call, in its order: RequestAddress,
 * CreateEndpoint, Join; and then what dockerd does itself, moving the link.
 */
record CniEndpoints(
    CniNetworks networks,
    IpamDriver ipam,
    NetworkDriver driver,
    Endpoints endpoints,
    KernelSide kernel) {

  /**
   * Gives the sandbox a link.
   *
   * @param first whether the default route leads through it
   */
  Attached attach(Sandbox sandbox, String id, Wish wish, boolean first) {
    CniNetworks.Usable vlan = networks.require(wish.vlan());
    Endpoint endpoint = create(id, wish, vlan);
    driver.join(
        new JoinRequest(
            new NetworkId(vlan.network()),
            new EndpointId(id),
            sandbox.toString(),
            EndpointOptions.NONE));
    IpAddress bridge = endpoint.address().subnet().at(1).address();
    Optional<IpAddress> gateway = vlan.internal() ? Optional.empty() : Optional.of(bridge);
    sandbox.take(
        endpoint.sandboxLink(),
        new Sandbox.Wanted(
            wish.ifname(), endpoint.address(), vlan.range(), bridge, first && gateway.isPresent()));
    return new Attached(
        wish.vlan(),
        wish.ifname(),
        endpoint.mac(),
        endpoint.hostLink(),
        kernel.link(endpoint.hostLink()).flatMap(KernelLink::mac).orElse(new MacAddress(0)),
        vlan.mtu(),
        endpoint.address(),
        gateway,
        vlan.range(),
        first);
  }

  private Endpoint create(String id, Wish wish, CniNetworks.Usable vlan) {
    InterfaceAddress address =
        ipam.requestAddress(
                new RequestAddressRequest(
                    vlan.pool(),
                    wish.address(),
                    /* gateway= */ false,
                    Optional.empty(),
                    Optional.empty()))
            .address();
    try {
      driver.createEndpoint(
          new CreateEndpointRequest(
              new NetworkId(vlan.network()),
              new EndpointId(id),
              new EndpointInterface(Optional.of(address), Optional.empty(), wish.mac()),
              EndpointOptions.NONE));
      return endpoints.require(id);
    } catch (RuntimeException e) {
      ipam.releaseAddress(new ReleaseAddressRequest(vlan.pool(), address.address()));
      throw e;
    }
  }

  /**
   * Takes over a link that a sandbox has and the records do not know any more.
   *
   * @return whether there was one
   */
  boolean haveBack(
      Sandbox sandbox, String id, CniAttachment.Link link, Instant since, KernelState state) {
    if (endpoints.find(id).isPresent() || !state.sandboxLinks().contains(LinkNames.hostEnd(id))) {
      return false;
    }
    Optional<Sandbox.Seen> seen = sandbox.look(link.ifname());
    if (seen.isEmpty()) {
      return false;
    }
    CniNetworks.Usable vlan = networks.haveBack(link.vlan(), state);
    Optional<InterfaceAddress> address =
        seen.get().addresses().stream()
            .filter(one -> vlan.range().contains(one.address()))
            .findFirst();
    address.ifPresent(had ->
        driver.takeOver(
            new Endpoint(
                id,
                vlan.network(),
                had,
                seen.get().mac(),
                Endpoint.State.JOINED,
                sandbox.toString(),
                List.of(),
                since),
            List.of(),
            Calls.uptime()));
    return address.isPresent();
  }

  /** The endpoints of CNI's networks. */
  List<Endpoint> all() {
    return endpoints.all().stream()
        .filter(endpoint -> CniNetworks.isOne(endpoint.network()))
        .toList();
  }

  /** Those of one such network. */
  List<Endpoint> of(String network) {
    return endpoints.of(network);
  }

  /** Takes one away that nothing wants any more; nothing if it is another by now. */
  void giveUp(Endpoint endpoint) {
    driver.giveUp(endpoint, Calls.uptime());
  }

  /** Takes them away, and waits until the links' names are free in the sandbox. */
  void remove(List<String> ids) {
    Set<String> links =
        ids.stream()
            .flatMap(id -> endpoints.find(id).stream())
            .map(Endpoint::hostLink)
            .collect(Collectors.toSet());
    ids.forEach(driver::giveUp);
    kernel.awaitGone(links);
  }

  boolean isInSandbox(String id, KernelState state) {
    return endpoints.find(id).filter(endpoint -> Holdings.isInSandbox(endpoint, state)).isPresent();
  }

  void requireUsable(String vlan) {
    networks.requireKnown(vlan);
  }

  /**
   * Looks whether a link is as it was made.
   *
   * @throws CniException if not
   */
  void check(Sandbox sandbox, String id, Expected expected, KernelState state) {
    Endpoint endpoint =
        endpoints.find(id).orElseThrow(() -> broken(expected.ifname() + " has no endpoint"));
    if (!Holdings.isInSandbox(endpoint, state)) {
      throw broken(
          "link " + endpoint.hostLink() + ", the other end of " + expected.ifname() + ", is gone");
    }
    Sandbox.Seen seen =
        sandbox
            .look(expected.ifname())
            .orElseThrow(() -> broken(expected.ifname() + " is not in " + sandbox));
    if (!seen.up()) {
      throw broken(expected.ifname() + " in " + sandbox + " is down");
    }
    if (expected.mac().filter(mac -> !mac.equals(seen.mac())).isPresent()) {
      throw broken(expected.ifname() + " has MAC " + seen.mac() + ", not " + expected.mac().get());
    }
    if (expected.address().filter(address -> !seen.addresses().contains(address)).isPresent()) {
      throw broken(expected.ifname() + " lacks " + expected.address().get());
    }
    if (expected.address().filter(address -> !address.equals(endpoint.address())).isPresent()) {
      throw broken(
          expected.ifname() + " has " + endpoint.address() + ", not " + expected.address().get());
    }
  }

  private static CniException broken(String sentence) {
    return new CniException(Code.NOT_AS_ADDED, sentence);
  }
}
