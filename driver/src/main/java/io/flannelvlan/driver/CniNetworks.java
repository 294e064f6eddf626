package io.flannelvlan.driver;

import io.flannelvlan.cni.CniException;
import io.flannelvlan.cni.CniException.Code;
import io.flannelvlan.dockerplugin.IpamApi.RequestPoolRequest;
import io.flannelvlan.dockerplugin.IpamApi.RequestPoolResponse;
import io.flannelvlan.dockerplugin.NetworkApi.CreateNetworkRequest;
import io.flannelvlan.dockerplugin.NetworkApi.IpamData;
import io.flannelvlan.dockerplugin.NetworkApi.NetworkOptions;
import io.flannelvlan.dockerplugin.NetworkId;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.driver.shared.SharedNetwork;
import io.flannelvlan.driver.shared.SharedNetworks;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.ipam.IpamDriver;
import io.flannelvlan.ipam.Pools;
import io.flannelvlan.net.Cidr;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What CNI runtimes have in place of Docker's networks: one for each VLAN that they use on this
 * host. It is made by the verbs that dockerd would call, so that all that holds for a network holds
 * for it, too; only Docker does not know it.
 *
 * <p>{@link #making} is held over those verbs.
 */
final class CniNetworks {

  private static final Logger LOG = LoggerFactory.getLogger(CniNetworks.class);

  /** No id of Docker's begins so: theirs are hexadecimal. */
  private static final String PREFIX = "cni";

  private final VlanStore store;
  private final SharedNetworks shared;
  private final HostVlans vlans;
  private final Networks networks;
  private final IpamDriver ipam;
  private final NetworkDriver driver;
  private final ReentrantLock making = new ReentrantLock();

  CniNetworks(
      VlanStore store,
      SharedNetworks shared,
      HostVlans vlans,
      Networks networks,
      IpamDriver ipam,
      NetworkDriver driver) {
    this.store = store;
    this.shared = shared;
    this.vlans = vlans;
    this.networks = networks;
    this.ipam = ipam;
    this.driver = driver;
  }

  /** Whether a network's id is that of one of these. */
  static boolean isOne(String networkId) {
    return networkId.startsWith(PREFIX);
  }

  static String id(String vlan) {
    return PREFIX + Digest.of(vlan).substring(0, 40);
  }

  /**
   * A VLAN that this host can use.
   *
   * @param network the id of its network for CNI
   * @param pool the id by which our IPAM knows it
   */
  record Usable(String network, String pool, Cidr range, boolean internal, int mtu) {}

  /**
   * Takes this host into the VLAN, if it is not there yet.
   *
   * @throws CniException if there is no such VLAN
   */
  Usable require(String vlan) {
    return require(vlan, _ -> Optional.empty(), driver::createNetwork);
  }

  /**
   * The same for pods that run already: the subnet is the one that they have.
   *
   * @throws CniException if there is no such VLAN
   */
  Usable haveBack(String vlan, KernelState state) {
    Duration now = Calls.uptime();
    return require(
        vlan,
        range -> ipam.ipRange(range).or(() -> state.bridgeSubnet(range)),
        request -> driver.takeOver(request, now));
  }

  private Usable require(
      String vlan, Function<Cidr, Optional<Cidr>> subnet, Consumer<CreateNetworkRequest> verb) {
    making.lock();
    try {
      Cidr range = requireKnown(vlan);
      String id = id(vlan);
      RequestPoolResponse pool =
          ipam.requestPool(
              new RequestPoolRequest(
                  Pools.ADDRESS_SPACE,
                  Optional.of(range),
                  subnet.apply(range),
                  Map.of("network", vlan),
                  /* v6= */ false));
      if (!networks.isWhole(id)) {
        verb.accept(request(id, vlan, pool));
      }
      VlanLinks links = networks.links(vlan).orElseThrow();
      return new Usable(id, pool.poolId(), range, links.internal(), links.mtu());
    } finally {
      making.unlock();
    }
  }

  /**
   * The VLAN's range; one that this host is in is known without etcd.
   *
   * @throws CniException if there is no such VLAN
   */
  Cidr requireKnown(String vlan) {
    return vlans
        .byName(vlan)
        .map(HostVlan::range)
        .or(() -> store.listPatiently().find(vlan).map(Vlan::range))
        .orElseThrow(() ->
            new CniException(
                Code.INVALID_CONFIGURATION,
                "there is no VLAN "
                    + vlan
                    + " in etcd: make it with docker network create, or put its config there"));
  }

  private CreateNetworkRequest request(String id, String vlan, RequestPoolResponse pool) {
    return new CreateNetworkRequest(
        new NetworkId(id),
        options(vlan),
        List.of(new IpamData(Pools.ADDRESS_SPACE, pool.pool(), pool.gateway(), Map.of())),
        List.of());
  }

  /** As the VLAN's Docker network has them, here or by etcd's word. */
  private NetworkOptions options(String vlan) {
    Optional<Network> here =
        networks.all().stream().filter(network -> network.vlan().equals(vlan)).findFirst();
    if (here.isPresent()) {
      return options(vlan, here.get().options(), here.get().internal());
    }
    return shared
        .get(vlan)
        .filter(SharedNetwork.Described.class::isInstance)
        .map(SharedNetwork.Described.class::cast)
        .map(word -> options(vlan, word.options(), word.internal()))
        .orElseGet(() -> options(vlan, Map.of(), /* internal= */ false));
  }

  private static NetworkOptions options(String vlan, Map<String, String> given, boolean internal) {
    Map<String, String> options = new TreeMap<>(given);
    options.put("network", vlan);
    return new NetworkOptions(options, internal, /* enableIpv4= */ true, /* enableIpv6= */ false);
  }

  /**
   * Leaves the VLANs in which no runtime has anything any more.
   *
   * @param isUsed whether one has something in it, or is about to
   */
  void leaveUnused(Predicate<Network> isUsed) {
    making.lock();
    try {
      for (Network network : List.copyOf(networks.all())) {
        if (isOne(network.id()) && !isUsed.test(network)) {
          LOG.info("no CNI runtime uses VLAN {} on this host any more", network.vlan());
          driver.giveUp(network, Calls.uptime());
        }
      }
    } finally {
      making.unlock();
    }
  }
}
