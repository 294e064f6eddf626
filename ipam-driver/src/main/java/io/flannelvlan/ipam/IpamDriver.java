package io.flannelvlan.ipam;

import io.flannelvlan.dockerplugin.IpamApi;
import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.Leases;
import io.flannelvlan.flannel.Reservation;
import io.flannelvlan.flannel.Reservations;
import io.flannelvlan.flannel.SubnetLayout;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanException;
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
import java.util.function.Supplier;
import java.util.stream.Collectors;
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
        joined.isPresent() ? poolOf(joined.get(), request, network) : newPool(request, network);
    pools.put(pool);
    return new RequestPoolResponse(
        new PoolId(pool.range()).toString(), pool.range(), Optional.of(pool.subnet().at(1)));
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

  /** A further network of a VLAN that this host is in already: needs no etcd. */
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
    Cidr within = request.subPool().orElse(subnet);
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
        vlan.range(), Optional.of(vlan.name()), subnet, narrower(within, subnet), pools.now());
  }

  private Pool newPool(RequestPoolRequest request, Optional<String> network) {
    Vlans all = store.list();
    PoolChoice choice = PoolChoice.of(request.pool(), network, all, this::isFree);
    SubnetLayout layout = choice.layout();
    routes
        .inTheWayOf(layout.range())
        .ifPresent(what -> {
          throw new Refused(
              layout.range() + " overlaps " + what + " of this host: choose another --subnet");
        });
    if (request.subPool().isPresent() && !layout.range().contains(request.subPool().get())) {
      throw new Refused(
          "--ip-range " + request.subPool().get() + " is not inside " + layout.range());
    }
    Optional<Vlan> vlan = choice.network().flatMap(all::find);
    Reservation reserved = reserve(layout, vlan, wish(request.subPool(), layout, choice));
    Cidr within = narrower(request.subPool().orElse(reserved.subnet()), reserved.subnet());
    return new Pool(layout.range(), choice.network(), reserved.subnet(), within, pools.now());
  }

  private boolean isFree(Cidr range) {
    return routes.inTheWayOf(range).isEmpty()
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

  private Reservation reserve(SubnetLayout layout, Optional<Vlan> vlan, Wish wish) {
    IpAddress host = publicAddress.get();
    // A lease that carries this host's address is this host's: of a flanneld that ran here before,
    // or of ourselves before the state directory was lost. It is taken again, not another.
    Optional<Cidr> own =
        vlan.map(store::leases).stream()
            .flatMap(leases -> leases.of(host).stream())
            .map(Lease::subnet)
            .filter(subnet -> layout.allows(subnet) && wish.isGrantedBy(subnet))
            .findFirst();
    return reservations.reserve(
        layout, own.map(Wish::exactly).orElse(wish), host, () -> holders(vlan, own));
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
    Optional<Cidr> confined = pool.filter(Pool::isConfined).map(Pool::within);
    return addresses
        .next(range, subnets, confined.orElse(range))
        .orElseGet(() -> further(vlan.get(), confined));
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

  /** One more subnet for this host; when the VLAN has none left, who has how much. */
  private InterfaceAddress further(HostVlan full, Optional<Cidr> confined) {
    HostVlan vlan = full;
    if (confined.isPresent()) {
      throw new Refused(
          "no address is free in --ip-range " + confined.get() + " of VLAN " + vlan.name());
    }
    try {
      while (true) {
        vlan = vlans.joinFurther(vlan);
        Optional<InterfaceAddress> address =
            addresses.next(vlan.range(), vlan.subnets(), vlan.range());
        if (address.isPresent()) {
          return address.get();
        }
      }
    } catch (EtcdException e) {
      throw new Refused(
          full(vlan) + ", and another subnet can't be had without etcd: " + e.getMessage());
    } catch (VlanException e) {
      if (e.kind() == VlanException.Kind.LEFT) {
        throw e;
      }
      LOG.warn("VLAN {} is full: {}", vlan.name(), e.getMessage());
      throw new Refused(
          full(vlan)
              + ", and the VLAN has no subnet left: "
              + vlans.leases(vlan.name()).map(IpamDriver::hosts).orElse("its hosts are unknown")
              + ". Remove containers here, or make a VLAN with a larger --subnet");
    }
  }

  private String full(HostVlan vlan) {
    return "no address is free on this host in VLAN "
        + vlan.name()
        + " ("
        + vlan.subnets().stream()
            .map(s -> addresses.usage(s) + " in " + s)
            .collect(Collectors.joining(", "))
        + ")";
  }

  private static String hosts(Leases leases) {
    Map<String, Long> counts =
        leases.bySubnet().values().stream()
            .collect(
                Collectors.groupingBy(
                    l -> l.publicIp().toString(), TreeMap::new, Collectors.counting()));
    return counts.entrySet().stream()
        .map(e ->
            "host "
                + e.getKey()
                + " has "
                + e.getValue()
                + (e.getValue() == 1 ? " subnet" : " subnets"))
        .collect(Collectors.joining(", "));
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
