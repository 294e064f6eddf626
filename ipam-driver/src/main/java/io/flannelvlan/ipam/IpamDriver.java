package io.flannelvlan.ipam;

import io.flannelvlan.dockerplugin.IpamApi;
import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.Reservation;
import io.flannelvlan.flannel.Reservations;
import io.flannelvlan.flannel.SubnetLayout;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.Vlans;
import io.flannelvlan.flannel.Wish;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Docker's IPAM verbs. A pool is a VLAN's whole range; its addresses come from this host's leases.
 *
 * <p>RequestPool only chooses the subnet that this host will have and tells dockerd its gateway;
 * the lease itself is taken by CreateNetwork, which alone knows the VNI.
 */
public final class IpamDriver implements IpamApi {

  private static final Logger LOG = LoggerFactory.getLogger(IpamDriver.class);

  private final VlanStore store;
  private final Reservations reservations;
  private final HostVlans vlans;
  private final Pools pools;
  private final Addresses addresses;
  private final HostRoutes routes;
  private final Supplier<IpAddress> publicAddress;
  private final FurtherSubnet furtherSubnet;
  private final ReentrantLock choosing = new ReentrantLock();

  public IpamDriver(
      VlanStore store,
      Reservations reservations,
      HostVlans vlans,
      Pools pools,
      Addresses addresses,
      HostRoutes routes,
      Supplier<IpAddress> publicAddress) {
    this.store = store;
    this.reservations = reservations;
    this.vlans = vlans;
    this.pools = pools;
    this.addresses = addresses;
    this.routes = routes;
    this.publicAddress = publicAddress;
    this.furtherSubnet = new FurtherSubnet(vlans, addresses);
  }

  @Override
  public RequestPoolResponse requestPool(RequestPoolRequest request) {
    return Refusals.of(() -> pool(request));
  }

  private RequestPoolResponse pool(RequestPoolRequest request) {
    if (request.v6()) {
      throw new Refused("flannelvlan networks are IPv4 only: leave out --ipv6");
    }
    Optional<String> network = network(request.options());
    Optional<HostVlan> joined =
        request.pool().flatMap(vlans::byRange).or(() -> network.flatMap(vlans::byName));
    Pool pool =
        joined.isPresent()
            ? noted(poolOf(joined.get(), request, network))
            : notedNew(request, network);
    return new RequestPoolResponse(
        new PoolId(pool.range()).toString(), pool.range(), Optional.of(pool.subnet().at(1)));
  }

  private Pool noted(Pool pool) {
    pools.put(pool);
    return pool;
  }

  /** Of two that leave the choice to us, the second must see what the first got. */
  private Pool notedNew(RequestPoolRequest request, Optional<String> network) {
    if (request.pool().isPresent()) {
      return noted(newPool(request, network));
    }
    choosing.lock();
    try {
      return noted(newPool(request, network));
    } finally {
      choosing.unlock();
    }
  }

  private static Optional<String> network(Map<String, String> options) {
    Map<String, String> left = new TreeMap<>(options);
    Optional<String> network = Optional.ofNullable(left.remove("network"));
    if (!left.isEmpty()) {
      throw new Refused(
          "unknown --ipam-opt "
              + String.join(", ", left.keySet())
              + "; flannelvlan's IPAM knows network. Other options go to --opt");
    }
    return network.filter(name -> !name.isBlank());
  }

  /**
   * A further network of a VLAN that this host is in already: needs no etcd. Docker asks for
   * addresses by the pool alone, so a range is the VLAN's on this host, not a network's, and holds
   * until another is given.
   */
  private Pool poolOf(HostVlan vlan, RequestPoolRequest request, Optional<String> network) {
    if (request.pool().filter(pool -> !pool.equals(vlan.range())).isPresent()
        || network.filter(name -> !name.equals(vlan.name())).isPresent()) {
      throw new Refused(
          "VLAN "
              + vlan.name()
              + " has "
              + vlan.range()
              + ": --subnet and --ipam-opt network="
              + " contradict each other");
    }
    Cidr subnet = vlan.subnets().getFirst();
    Cidr within = request.subPool().orElseGet(() -> kept(vlan.range(), subnet));
    if (!within.overlaps(subnet)) {
      throw new Refused(
          "--ip-range "
              + within
              + ": this host has "
              + subnet
              + " of VLAN "
              + vlan.name()
              + " already, and can't take another as its first");
    }
    return new Pool(
        vlan.range(),
        Optional.of(vlan.name()),
        subnet,
        narrower(within, subnet),
        pools.now(),
        /* chosen= */ false);
  }

  private Pool newPool(RequestPoolRequest request, Optional<String> network) {
    Vlans all = store.listPatiently();
    PoolChoice choice = PoolChoice.of(request.pool(), network, all, this::isFree);
    SubnetLayout layout = choice.layout();
    Optional<Vlan> vlan = choice.network().flatMap(all::find);
    List<Cidr> own = own(vlan);
    routes
        .inTheWayOf(layout.range(), withPlain(own, vlan))
        .ifPresent(what -> {
          throw new Refused(
              layout.range() + " overlaps " + what + " of this host: choose another --subnet");
        });
    if (request.subPool().isPresent() && !layout.range().contains(request.subPool().get())) {
      throw new Refused(
          "--ip-range " + request.subPool().get() + " is not inside " + layout.range());
    }
    Reservation reserved = reserve(layout, vlan, own, wish(request.subPool(), layout, choice));
    Cidr subnet = reserved.subnet();
    Cidr within = request.subPool().orElseGet(() -> kept(layout.range(), subnet));
    return new Pool(
        layout.range(),
        choice.network(),
        subnet,
        narrower(within, subnet),
        pools.now(),
        request.pool().isEmpty() && vlan.isEmpty());
  }

  /**
   * What was given before; a CNI runtime may come between dockerd's RequestPool and CreateNetwork.
   */
  private Cidr kept(Cidr range, Cidr subnet) {
    return pools
        .get(range)
        .filter(pool -> pool.subnet().equals(subnet))
        .map(Pool::within)
        .orElse(subnet);
  }

  /** The {@code --ip-range} that this host's containers of the VLAN are confined to. */
  public Optional<Cidr> ipRange(Cidr range) {
    return pools.get(range).filter(Pool::isConfined).map(Pool::within);
  }

  private boolean isFree(Cidr range) {
    return routes.inTheWayOf(range, List.of()).isEmpty()
        && pools.all().stream().noneMatch(pool -> pool.range().overlaps(range));
  }

  /** {@code --ip-range} is a wish for the subnet that holds it, or for one inside it. */
  private Wish wish(Optional<Cidr> subPool, SubnetLayout layout, PoolChoice choice) {
    if (subPool.isPresent()) {
      return subPool.get().length() < layout.subnetLen()
          ? Wish.within(subPool.get())
          : Wish.exactly(layout.subnetOf(subPool.get().base()));
    }
    return choice
        .network()
        .map(vlans::remembered)
        .flatMap(subnets -> subnets.stream().findFirst())
        .map(Wish::remembered)
        .orElseGet(Wish::any);
  }

  private Reservation reserve(
      SubnetLayout layout, Optional<Vlan> vlan, List<Cidr> standing, Wish wish) {
    IpAddress host = publicAddress.get();
    // A lease that carries this host's address is this host's: of a flanneld that ran here before,
    // or of ourselves before the state directory was lost. It is taken again, not another.
    Optional<Cidr> own =
        standing.stream()
            .filter(subnet -> layout.allows(subnet) && wish.isGrantedBy(subnet))
            .filter(subnet -> !vlans.plain().isUsed(vlan.get().name(), subnet))
            .findFirst();
    Supplier<Map<Cidr, String>> leased = () -> holders(vlan, own);
    return own.isPresent()
        ? reservations.reserveOwn(layout, own.get(), host, leased)
        : reservations.reserve(layout, wish, host, leased);
  }

  /** With what a plain dockerd here may still have of before. */
  private List<Cidr> withPlain(List<Cidr> own, Optional<Vlan> vlan) {
    return Stream.concat(own.stream(), vlan.flatMap(v -> vlans.rememberedPlain(v.name())).stream())
        .toList();
  }

  private List<Cidr> own(Optional<Vlan> vlan) {
    return vlan.map(store::leases).stream()
        .flatMap(leases -> leases.of(publicAddress.get()).stream())
        .map(Lease::subnet)
        .toList();
  }

  private Map<Cidr, String> holders(Optional<Vlan> vlan, Optional<Cidr> own) {
    Map<Cidr, String> holders =
        new TreeMap<>(vlan.map(v -> store.leases(v).holders()).orElse(Map.of()));
    own.ifPresent(holders::remove);
    return holders;
  }

  private static Cidr narrower(Cidr a, Cidr b) {
    return a.length() > b.length() ? a : b;
  }

  @Override
  public void releasePool(ReleasePoolRequest request) {
    Cidr range;
    try {
      range = PoolId.parse(request.poolId()).range();
    } catch (Refused _) {
      return;
    }
    // With the VLAN joined, this is either a "network rm", whose DeleteNetwork comes next and ends
    // everything, or the end of a create that failed beside a network that lives on.
    if (vlans.byRange(range).isEmpty()) {
      Refusals.of(() -> drop(range));
    }
  }

  private void drop(Cidr range) {
    addresses.releaseAll(range);
    pools.remove(range);
  }

  @Override
  public RequestAddressResponse requestAddress(RequestAddressRequest request) {
    return Refusals.of(() -> new RequestAddressResponse(address(request)));
  }

  private InterfaceAddress address(RequestAddressRequest request) {
    Cidr range = PoolId.parse(request.poolId()).range();
    Optional<HostVlan> vlan = vlans.byRange(range);
    Optional<Pool> pool = pools.get(range);
    List<Cidr> subnets =
        vlan.map(HostVlan::subnets).or(() -> pool.map(p -> List.of(p.subnet()))).orElse(List.of());
    if (subnets.isEmpty()) {
      throw new Refused(
          "pool "
              + request.poolId()
              + " is unknown to this host: remove its network and create it"
              + " again");
    }
    if (request.gateway()) {
      return gateway(subnets, request.address());
    }
    if (request.address().isPresent()) {
      return fixed(range, vlan, subnets, request.address().get());
    }
    if (vlan.isEmpty()) {
      throw new Refused("pool " + request.poolId() + " has no flannelvlan network yet");
    }
    // A range inside the first subnet is what the user confined this host to: when that is full,
    // nothing is left. Without one, a second subnet is taken before anything fails.
    Optional<Cidr> confined = ipRange(range);
    return addresses
        .next(range, subnets, confined.orElse(range))
        .orElseGet(() -> furtherSubnet.address(vlan.get(), confined));
  }

  private static InterfaceAddress gateway(List<Cidr> subnets, Optional<IpAddress> asked) {
    InterfaceAddress gateway = subnets.getFirst().at(1);
    if (asked.isPresent() && !asked.get().equals(gateway.address())) {
      throw new Refused(
          "--gateway "
              + asked.get()
              + " can't be: each host has a gateway of its own, the first address of its subnet, which"
              + " is "
              + gateway
              + " here. Leave out --gateway, or choose this host's subnet with --ip-range");
    }
    return gateway;
  }

  private InterfaceAddress fixed(
      Cidr range, Optional<HostVlan> vlan, List<Cidr> subnets, IpAddress asked) {
    Optional<Cidr> subnet = subnets.stream().filter(s -> s.contains(asked)).findFirst();
    if (subnet.isPresent()) {
      return addresses.take(range, subnet.get(), asked);
    }
    if (vlan.flatMap(HostVlan::plain).filter(p -> p.subnet().contains(asked)).isPresent()) {
      throw new Refused(
          asked
              + " lies in the subnet that a plain dockerd on this host has, or may have; this host's"
              + " own of "
              + range
              + ": "
              + subnets);
    }
    String holder =
        vlan.flatMap(v -> vlans.leases(v.name()))
            .flatMap(leases -> leases.around(asked))
            .map(l -> l.subnet() + ", the subnet of host " + l.publicIp())
            .orElse("a subnet that no host has");
    throw new Refused(
        asked
            + " lies in "
            + holder
            + "; this host has "
            + subnets.stream().map(Cidr::toString).collect(Collectors.joining(", "))
            + " of "
            + range
            + ": choose an address there, or run the container on that host");
  }

  @Override
  public void releaseAddress(ReleaseAddressRequest request) {
    Refusals.of(() -> addresses.releaseUnconfirmed(request.address()));
  }

  /** Forgets pools whose network never came. */
  public void forgetAbandoned() {
    for (Pool pool : pools.all()) {
      if (vlans.byRange(pool.range()).isEmpty() && pools.isPastGrace(pool)) {
        LOG.info("forgot pool {}: its network was never created", pool.range());
        drop(pool.range());
      }
    }
  }
}
