package io.flannelvlan.driver;

import io.flannelvlan.driver.kernel.Kernel;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.driver.kernel.KernelView;
import io.flannelvlan.driver.kernel.Reconciler;
import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.flannel.FlannelKeys;
import io.flannelvlan.flannel.Reservations;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.ipam.Addresses;
import io.flannelvlan.ipam.Pools;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.journal.Table;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.netlink.Rtnl;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** The driver's records over a real journal and etcd; its reconciler has ended. */
final class TestingDriver implements AutoCloseable {

  static final IpAddress HERE = IpAddress.parse("198.51.100.11");

  final VlanStore store;
  final HostVlans vlans;
  final Addresses addresses;
  final Networks networks;
  final Endpoints endpoints;
  final LostRecords lost;
  final KnownEngine engine;
  final DockersBridges bridges;
  final Calls calls = new Calls(Calls::uptime);
  final NetworkDriver driver;
  private final Journal journal;
  private final Kernel kernel;
  private final KernelView view;
  private final KernelSide side;

  TestingDriver(Etcd etcd, Path state) {
    this(etcd, state, KernelState.empty());
  }

  /** The same, which finds that in the kernel. */
  TestingDriver(Etcd etcd, Path state, KernelState found) {
    Clock clock = Clock.systemUTC();
    Random random = new Random(11);
    journal = Journal.open(state);
    store = new VlanStore(etcd, new FlannelKeys(FlannelKeys.DEFAULT_PREFIX), random, clock);
    vlans = new HostVlans(store, journal, random, clock, () -> {});
    addresses = new Addresses(vlans, etcd, journal, clock);
    kernel = new Kernel(Rtnl.open());
    view = new KernelView(Rtnl.open());
    Reconciler ended = new Reconciler(kernel);
    ended.close();
    side = new KernelSide(ended, view);
    networks =
        new Networks(
            journal,
            store,
            new Reservations(etcd, random),
            vlans,
            new Pools(journal, clock),
            addresses,
            new HostUnderlay("lo", Optional.of(HERE), view, _ -> false),
            side,
            clock);
    endpoints = new Endpoints(journal, networks, vlans, addresses, side, clock);
    lost = new LostRecords(journal, found, clock);
    engine = new KnownEngine(journal);
    bridges = new DockersBridges(journal, () -> {}, () -> {});
    driver =
        new NetworkDriver(networks, endpoints, vlans, new PortPublishing(endpoints, side), calls);
    addresses.start();
    vlans.start();
  }

  /** Puts records into a journal that nobody has open. */
  static void record(
      Path state, List<Network> networks, List<VlanLinks> links, List<Endpoint> endpoints) {
    try (Journal journal = Journal.open(state)) {
      Table<Network> networkTable = journal.table("network", Network.class);
      Table<VlanLinks> linksTable = journal.table("links", VlanLinks.class);
      Table<Endpoint> endpointTable = journal.table("endpoint", Endpoint.class);
      Batch batch = new Batch();
      networks.forEach(network -> batch.put(networkTable, network.id(), network));
      links.forEach(link -> batch.put(linksTable, link.vlan(), link));
      endpoints.forEach(endpoint -> batch.put(endpointTable, endpoint.id(), endpoint));
      journal.commit(batch);
    }
  }

  /** A record of which nothing is read. */
  private record Forgotten() {}

  /** As if the host had ended before etcd showed it who else is in the VLAN. */
  static void forgetPeers(Path state, String vlan) {
    try (Journal journal = Journal.open(state)) {
      Table<Forgotten> peers = journal.table("peers", Forgotten.class);
      journal.commit(new Batch().remove(peers, vlan));
    }
  }

  Holdings holdings(KernelState kernel) {
    return new Holdings(networks, endpoints, addresses, driver, lost, () -> kernel);
  }

  UnderlayMoves moves(HostUnderlay host, Runnable beforeMoving) {
    return new UnderlayMoves(networks, vlans, addresses, host, side, beforeMoving);
  }

  /** Nothing can be written from now on. */
  void closeJournal() {
    journal.close();
  }

  void commit(Batch batch) {
    journal.commit(batch);
  }

  @Override
  public void close() {
    addresses.close();
    vlans.close();
    kernel.close();
    view.close();
    journal.close();
  }
}
