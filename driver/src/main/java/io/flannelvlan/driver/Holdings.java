package io.flannelvlan.driver;

import io.flannelvlan.driver.kernel.KernelLink;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.ipam.Addresses;
import io.flannelvlan.net.IpAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** All that this host keeps for dockerd, and how each thing of it is given up. */
record Holdings(
    Networks networks,
    Endpoints endpoints,
    Addresses addresses,
    NetworkDriver driver,
    LostRecords lost,
    Supplier<KernelState> kernel) {

  /** As it stands now. */
  List<Held> all() {
    // Addresses first: one that is confirmed in between is then seen with its endpoint.
    List<Held.OfAddress> given = addresses.all().stream().map(Held.OfAddress::new).toList();
    Collection<Endpoint> attached = endpoints.all();
    Set<IpAddress> attachedAddresses =
        attached.stream().map(e -> e.address().address()).collect(Collectors.toSet());
    List<Held> all = new ArrayList<>();
    networks.all().stream()
        .filter(network -> !CniNetworks.isOne(network.id()))
        .forEach(network -> all.add(new Held.OfNetwork(network)));
    attached.stream()
        .filter(endpoint -> !CniNetworks.isOne(endpoint.network()))
        .forEach(endpoint -> all.add(new Held.OfEndpoint(endpoint)));
    given.stream()
        .filter(one -> !attachedAddresses.contains(one.address().address().address()))
        .forEach(all::add);
    return all;
  }

  /**
   * Whether a sandbox uses it, or may, whatever Docker knows: the other end of its link is in
   * another namespace, which neither a container that is gone nor one that has left leaves there.
   */
  boolean isInUse(Held held) {
    return switch (held) {
      case Held.OfEndpoint e -> isInSandbox(e.endpoint(), kernel.get());
      case Held.OfNetwork n -> {
        KernelState state = kernel.get();
        yield endpoints.of(n.id()).stream().anyMatch(endpoint -> isInSandbox(endpoint, state));
      }
      // Had back from etcd, it may be that of a container whose records are gone for good.
      case Held.OfAddress _ -> lost.isLost() || !endpoints.unknownLinks(kernel.get()).isEmpty();
    };
  }

  /** Whether the other end of its link is in a sandbox. */
  static boolean isInSandbox(Endpoint endpoint, KernelState state) {
    Optional<KernelLink.Kind> kind = state.link(endpoint.hostLink()).map(KernelLink::kind);
    return kind.isPresent()
        && kind.get() instanceof KernelLink.Veth veth
        && veth.peerAway()
        && endpoint.state() != Endpoint.State.LEFT;
  }

  /** Gives it up unless it is another by now, or dockerd spoke of it since. */
  void giveUp(Held held, Duration since) {
    switch (held) {
      case Held.OfNetwork n -> driver.giveUp(n.network(), since);
      case Held.OfEndpoint e -> driver.giveUp(e.endpoint(), since);
      case Held.OfAddress a -> addresses.release(a.address());
    }
  }
}
