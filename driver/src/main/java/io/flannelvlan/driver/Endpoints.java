package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.NetworkApi.CreateEndpointRequest;
import io.flannelvlan.dockerplugin.NetworkApi.EndpointInterface;
import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.Endpoint.State;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.ipam.Addresses;
import io.flannelvlan.ipam.AllocatedAddress;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.journal.Table;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.time.Clock;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

/**
 * The endpoints of this host, through their life: created, joined, left, deleted.
 *
 * <p>Calls about one endpoint go one after the other, as {@link EndpointLocks} sees to; others run
 * in parallel.
 */
final class Endpoints {

  private final Journal journal;
  private final Table<Endpoint> endpoints;
  private final Networks networks;
  private final HostVlans vlans;
  private final Addresses addresses;
  private final KernelSide kernel;
  private final Clock clock;

  /** Held over the journal's write. */
  private final ReentrantLock confirming = new ReentrantLock();

  /** Of endpoints that were taken away, for as long as they stand. */
  private final Set<String> endedLinks = ConcurrentHashMap.newKeySet();

  Endpoints(
      Journal journal,
      Networks networks,
      HostVlans vlans,
      Addresses addresses,
      KernelSide kernel,
      Clock clock) {
    this.journal = journal;
    this.endpoints = journal.table("endpoint", Endpoint.class);
    this.networks = networks;
    this.vlans = vlans;
    this.addresses = addresses;
    this.kernel = kernel;
    this.clock = clock;
  }

  Collection<Endpoint> all() {
    return endpoints.values();
  }

  List<Endpoint> of(String network) {
    return all().stream().filter(endpoint -> endpoint.network().equals(network)).toList();
  }

  Optional<Endpoint> find(String id) {
    return endpoints.get(id);
  }

  /** The links that lead into sandboxes, and that no record knows. */
  Set<String> unknownLinks(KernelState state) {
    return sandboxLinksBeside(state, _ -> true);
  }

  /** The links that lead into sandboxes, and that are none of these endpoints'. */
  Set<String> sandboxLinksBeside(KernelState state, Predicate<Endpoint> known) {
    Set<String> links = new HashSet<>(state.sandboxLinks());
    all().stream().filter(known).forEach(endpoint -> links.remove(endpoint.hostLink()));
    return links;
  }

  /** The links in that state whose endpoints were taken away since this process began. */
  Set<String> endedLinks(KernelState state) {
    endedLinks.removeIf(link -> state.link(link).isEmpty());
    return Set.copyOf(endedLinks);
  }

  /**
   * The endpoint that a call is about.
   *
   * @throws Refused if this host does not know it
   */
  Endpoint require(String id) {
    return find(id)
        .orElseThrow(() ->
            new Refused(
                "endpoint "
                    + id
                    + " is unknown to flannelvlan on this host: restart its"
                    + " container"));
  }

  /**
   * The endpoint that is over, though nobody said so, once the asked one is made. Docker's own IPAM
   * gives an address again only when it is free; when dockerd was killed it tells us of that in no
   * other way.
   */
  Optional<Endpoint> supersededBy(CreateEndpointRequest request) {
    String id = request.endpointId().text();
    return networks
        .find(request.networkId().text())
        .filter(Network::dockersIpam)
        .flatMap(network ->
            of(network.id()).stream()
                .filter(other -> !other.id().equals(id))
                .filter(other ->
                    request.endpointInterface().address().equals(Optional.of(other.address())))
                .findFirst());
  }

  Endpoint create(CreateEndpointRequest request) {
    String id = request.endpointId().text();
    Network network = networks.require(request.networkId().text());
    EndpointInterface asked = request.endpointInterface();
    InterfaceAddress address =
        asked
            .address()
            .orElseThrow(
                () -> new Refused("endpoint " + id + " has no IPv4 address, and needs one"));
    MacAddress mac = asked.macAddress().orElseGet(() -> MacAddress.ofEndpoint(address.address()));
    Endpoint wanted =
        new Endpoint(id, network.id(), address, mac, State.CREATED, "", List.of(), clock.instant());
    Optional<Endpoint> known = endpoints.get(id);
    if (known.isPresent()) {
      return requireTheSame(known.get(), wanted);
    }
    requireFreeLinkName(wanted);
    boolean taken = takeAddress(network, wanted);
    try {
      commit(wanted);
      requireNetworkStill(wanted);
      new BridgeMacs(networks, all()).requireFree(wanted);
      addresses.published(address.address());
      kernel.settleEndpoint(network.vlan(), wanted);
    } catch (RuntimeException e) {
      forget(wanted, taken);
      throw e;
    }
    return wanted;
  }

  /**
   * A network that goes while its endpoint comes takes it along: one looks for the other after it
   * has committed, so that at least one of the two sees both.
   */
  private void requireNetworkStill(Endpoint wanted) {
    if (networks.find(wanted.network()).isEmpty()) {
      throw new Refused(
          "network "
              + wanted.network()
              + " was removed while endpoint "
              + wanted.id()
              + " was made");
    }
  }

  /**
   * Takes over an endpoint that is in use, and whose record was lost, or is older than its state.
   *
   * @throws Refused if its address is not this host's, or another endpoint's
   */
  void takeOver(Endpoint found) {
    if (find(found.id()).isEmpty()) {
      requireFreeLinkName(found);
    }
    takeAddress(networks.require(found.network()), found);
    commit(found);
    addresses.published(found.address().address());
    kernel.wake();
  }

  private static Endpoint requireTheSame(Endpoint known, Endpoint wanted) {
    if (known.state() == State.LEFT) {
      throw new Refused(
          "endpoint " + known.id() + " has left its sandbox: only its deletion may follow");
    }
    if (!known.network().equals(wanted.network())
        || !known.address().equals(wanted.address())
        || !known.mac().equals(wanted.mac())) {
      throw new Refused(
          "endpoint "
              + known.id()
              + " exists with "
              + known.address()
              + " and "
              + known.mac()
              + " on network "
              + known.network());
    }
    return known;
  }

  /** Link names carry the first 12 digits of the id; two endpoints alike in them can't be. */
  private void requireFreeLinkName(Endpoint wanted) {
    endpoints.values().stream()
        .filter(other -> other.hostLink().equals(wanted.hostLink()))
        .findFirst()
        .ifPresent(other -> {
          throw new Refused(
              "endpoint "
                  + wanted.id()
                  + " would share link "
                  + other.hostLink()
                  + " with "
                  + other.id());
        });
  }

  /** Sees to it that the address is this endpoint's; true if it had to be taken here. */
  private boolean takeAddress(Network network, Endpoint wanted) {
    HostVlan vlan =
        vlans
            .byName(network.vlan())
            .orElseThrow(() -> new Refused("this host has left VLAN " + network.vlan()));
    IpAddress address = wanted.address().address();
    if (!vlan.subnets().contains(wanted.address().subnet())) {
      throw new Refused(
          wanted.address()
              + " is in none of this host's subnets of VLAN "
              + vlan.name()
              + ", "
              + vlan.subnets());
    }
    boolean free = addresses.get(address).isEmpty();
    if (free) {
      addresses.take(vlan.range(), wanted.address().subnet(), address);
    }
    return free;
  }

  /** Endpoint and address in one commit; of two that want one address the second is refused. */
  private void commit(Endpoint wanted) {
    IpAddress address = wanted.address().address();
    confirming.lock();
    try {
      // A holder that is gone was one of Docker's own IPAM, which does not give addresses back.
      addresses
          .get(address)
          .flatMap(AllocatedAddress::endpoint)
          .filter(holder -> !holder.equals(wanted.id()) && find(holder).isPresent())
          .ifPresent(holder -> {
            throw new Refused(address + " is in use by endpoint " + holder);
          });
      Batch batch = new Batch().put(endpoints, wanted.id(), wanted);
      addresses.confirm(batch, address, wanted.id(), wanted.mac());
      journal.commit(batch);
      endedLinks.remove(wanted.hostLink());
    } finally {
      confirming.unlock();
    }
  }

  /**
   * dockerd takes the endpoint's link into the sandbox.
   *
   * @throws Refused if it is in another sandbox, or has left one
   */
  Endpoint join(String id, String sandboxKey) {
    Endpoint endpoint = require(id);
    return switch (endpoint.state()) {
      case CREATED -> put(endpoint.joined(sandboxKey));
      case JOINED -> {
        if (!endpoint.sandbox().equals(sandboxKey)) {
          throw new Refused("endpoint " + id + " is in sandbox " + endpoint.sandbox() + " already");
        }
        yield endpoint;
      }
      case LEFT -> throw new Refused("endpoint " + id + " has left its sandbox; create another");
    };
  }

  /** dockerd is about to take the link back; an unknown endpoint is not an error. */
  void leave(String id) {
    find(id)
        .filter(endpoint -> endpoint.state() != State.LEFT)
        .ifPresent(endpoint -> {
          putBack(endpoint.left());
          // Gone before dockerd moves its end back, the veth costs neither of us that move.
          kernel.wakeWhenQuiet();
        });
  }

  void publishing(String id, List<HostPort> ports) {
    find(id).ifPresent(endpoint -> put(endpoint.publishing(ports)));
  }

  void withdrawing(String id) {
    find(id).ifPresent(endpoint -> putBack(endpoint.publishing(List.of())));
  }

  private Endpoint put(Endpoint endpoint) {
    journal.commit(new Batch().put(endpoints, endpoint.id(), endpoint));
    return endpoint;
  }

  private void putBack(Endpoint endpoint) {
    journal.commit(new Batch().put(endpoints, endpoint.id(), endpoint).givingBack());
  }

  /** Takes the endpoint away; an unknown one is not an error. */
  void delete(String id) {
    find(id)
        .ifPresentOrElse(
            endpoint -> forget(endpoint, isDockersIpam(endpoint) && hasAddress(endpoint)),
            () -> addresses.unconfirm(id));
  }

  /** Docker's own IPAM tells nobody when it takes an address back. */
  private boolean isDockersIpam(Endpoint endpoint) {
    return networks.find(endpoint.network()).map(Network::dockersIpam).orElse(true);
  }

  /** As {@link #delete}, and its address goes with it: dockerd will not give it back any more. */
  void giveUp(String id) {
    find(id).ifPresent(endpoint -> forget(endpoint, hasAddress(endpoint)));
  }

  /** Not so if a damaged journal brought it back: another may have the address since. */
  private boolean hasAddress(Endpoint endpoint) {
    return addresses
        .get(endpoint.address().address())
        .flatMap(AllocatedAddress::endpoint)
        .filter(endpoint.id()::equals)
        .isPresent();
  }

  private void forget(Endpoint endpoint, boolean release) {
    Batch batch = new Batch();
    if (find(endpoint.id()).isPresent()) {
      batch.remove(endpoints, endpoint.id());
    }
    addresses.unconfirm(batch, endpoint.address().address(), endpoint.id());
    journal.commit(batch.givingBack());
    endedLinks.add(endpoint.hostLink());
    if (release) {
      addresses.release(endpoint.address().address());
    } else {
      addresses.published(endpoint.address().address());
    }
    // The veth goes in the background: the kernel takes 16 ms for it, and nobody waits for that.
    kernel.wakeWhenQuiet();
  }

  /** Adds the removal of a network's endpoints to its own. */
  void forgetAll(Batch batch, String network) {
    for (Endpoint endpoint : of(network)) {
      batch.remove(endpoints, endpoint.id());
      addresses.unconfirm(batch, endpoint.address().address(), endpoint.id());
    }
  }

  /** They are gone, and etcd is told; their addresses stay if another network has their VLAN. */
  void publish(List<Endpoint> gone) {
    gone.forEach(endpoint -> {
      endedLinks.add(endpoint.hostLink());
      addresses.published(endpoint.address().address());
    });
  }
}
