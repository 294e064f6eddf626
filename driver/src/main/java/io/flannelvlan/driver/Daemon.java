package io.flannelvlan.driver;

import io.flannelvlan.cni.Cni;
import io.flannelvlan.dockerengine.DockerEngine;
import io.flannelvlan.dockerplugin.AdminServer;
import io.flannelvlan.dockerplugin.IpamApi;
import io.flannelvlan.dockerplugin.Manifest;
import io.flannelvlan.dockerplugin.NetworkApi;
import io.flannelvlan.dockerplugin.PluginServer;
import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.kernel.Kernel;
import io.flannelvlan.driver.kernel.KernelView;
import io.flannelvlan.driver.kernel.Reconciler;
import io.flannelvlan.driver.shared.Settled;
import io.flannelvlan.driver.shared.SharedNetworks;
import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcdserver.EtcdServer;
import io.flannelvlan.flannel.Reservations;
import io.flannelvlan.flannel.SubnetFiles;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.ipam.Addresses;
import io.flannelvlan.ipam.IpamDriver;
import io.flannelvlan.ipam.Pools;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.journal.JournalException;
import io.flannelvlan.netlink.Event;
import io.flannelvlan.netlink.Events;
import io.flannelvlan.netlink.Rtnl;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that serves, built top to bottom and ended bottom to top, but for the socket, which is
 * the first to begin and the first to end.
 *
 * <p>The socket listens first and answers dockerd's static calls at once; then come the journal,
 * the kernel as the journal has it, and only then etcd. What stands in the kernel stays when this
 * ends, so that traffic runs on.
 */
final class Daemon implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);

  private static final Manifest MANIFEST =
      new Manifest(
          new NetworkApi.Capabilities(
              NetworkApi.Scope.LOCAL, NetworkApi.Scope.GLOBAL, /* gwAllocChecker= */ false),
          new IpamApi.Capabilities(
              /* requiresMacAddress= */ false, /* requiresRequestReplay= */ false),
          new IpamApi.DefaultAddressSpaces(Pools.ADDRESS_SPACE, Pools.ADDRESS_SPACE));

  /** Of {@code RECLAIM_AFTER}: a comparison of all keys in etcd is worth ten looks at Docker. */
  private static final int COMPARE_FACTOR = 10;

  /** For this host's own etcd to begin: the first container of a boot needs it, and calls wait. */
  private static final Duration OWN_ETCD_PATIENCE = Duration.ofSeconds(2);

  private final Deque<AutoCloseable> started = new ArrayDeque<>();

  private Daemon() {}

  /**
   * Serves once this returns.
   *
   * @throws RuntimeException naming what stands in the way; nothing is left running then
   */
  static Daemon start(Config config) {
    Daemon daemon = new Daemon();
    try {
      daemon.build(config);
      return daemon;
    } catch (RuntimeException e) {
      daemon.close();
      throw e;
    }
  }

  private void build(Config config) {
    // First of all: dockerd looks for it, and waits for seconds if it does not find it.
    PluginServer server = started(PluginServer.start(config.sockets(), MANIFEST));
    Logging.bridge();
    Clock clock = Clock.systemUTC();
    SecureRandom random = new SecureRandom();
    Journal journal = started(Journal.open(config.stateDir()));
    KernelView view = started(new KernelView(Rtnl.open()));
    SubnetFiles files = new SubnetFiles(SubnetFiles.DIRECTORY);
    HostUnderlay host = new HostUnderlay(config.iface(), config.publicIp(), view, files::name);
    Etcd etcd = etcd(config, host);
    VlanStore store = new VlanStore(etcd, config.keys(), random, clock);
    Reservations reservations = new Reservations(etcd, random);
    Reconciler reconciler = started(new Reconciler(new Kernel(Rtnl.open())));
    KernelSide kernel = new KernelSide(reconciler, view);
    HostVlans vlans =
        started(new HostVlans(store, journal, random, clock, reconciler::wakeWhenQuiet));
    Pools pools = new Pools(journal, clock);
    Addresses addresses = started(new Addresses(vlans, etcd, journal, clock));
    Networks networks =
        new Networks(journal, store, reservations, vlans, pools, addresses, host, kernel, clock);
    Endpoints endpoints = new Endpoints(journal, networks, vlans, addresses, kernel, clock);
    PortPublishing ports = started(new PortPublishing(endpoints, kernel));
    IpamDriver ipam =
        new IpamDriver(store, reservations, vlans, pools, addresses, host, host::publicAddress);
    Calls calls = new Calls(Calls::uptime);
    NetworkDriver driver = new NetworkDriver(networks, endpoints, vlans, ports, calls);
    LostRecords lost = new LostRecords(journal, view.get(), clock);
    Holdings holdings = new Holdings(networks, endpoints, addresses, driver, lost, view);
    RecalledCalls recalled = new RecalledCalls(config.driverName(), ipam, addresses, clock);
    Relearn relearn = new Relearn(recalled, networks, endpoints, driver, kernel, view, lost, calls);
    KnownEngine engine = new KnownEngine(journal);
    DockerEngine docker = new DockerEngine(config.docker().socket());
    SharedNetworks shared = new SharedNetworks(etcd);
    Supplier<String> generations = () -> HexFormat.of().toHexDigits(random.nextLong());
    NetworkSteps steps =
        new NetworkSteps(
            store,
            shared,
            networks,
            journal,
            journal.table("settled", Settled.class),
            docker,
            config.driverName(),
            host::publicAddress,
            generations,
            clock);
    SharedView sharedView = started(new SharedView(store, shared));
    SharedNetworkKeeper keeper =
        started(
            new SharedNetworkKeeper(sharedView, networks, config.networks(), lost, steps, docker));
    Removal removal =
        new Removal(store, shared, addresses, host::publicAddress, generations, clock);
    CniNetworks cniNetworks = new CniNetworks(store, shared, vlans, networks, ipam, driver);
    CniEndpoints cniEndpoints = new CniEndpoints(cniNetworks, ipam, driver, endpoints, kernel);
    CniDriver cni = new CniDriver(attachments(config), cniEndpoints, view, clock);
    CniLeftovers leftovers =
        new CniLeftovers(cni, cniEndpoints, cniNetworks, view, config.docker().reclaimAfter());
    Admin admin =
        new Admin(
            store,
            shared,
            networks,
            vlans,
            config.networks(),
            keeper,
            removal,
            new Attachments(cni, networks, docker),
            new Cni(cni));
    WithoutDocker without =
        new WithoutDocker(networks, endpoints, engine, lost, view, kernel::wake);
    News news = new News();
    DockersBridges bridges = new DockersBridges(journal, kernel::wake, news::tell);
    Reclaim reclaim =
        started(
            new Reclaim(
                config.docker(), holdings, calls, engine, lost, relearn, without, bridges, news));

    Wishes wishes =
        new Wishes(vlans, networks, endpoints, bridges, lost::extent, config.masquerade());
    reconciler.start(wishes::desired);
    UnderlayMoves moves = new UnderlayMoves(networks, vlans, addresses, host, kernel, etcd::renew);
    UnderlayWatch underlay = started(new UnderlayWatch(moves::follow));
    PlainNetworks plain =
        started(new PlainNetworks(vlans, networks, files, view, lost::isLost, config.masquerade()));
    started(
        Events.ofLinks(event -> {
          underlay.heard(event);
          plain.heard(event);
          wake(event, reconciler);
        }));
    started(Events.ofNftables(_ -> reconciler.suspectFirewall()));
    ports.start();
    ipam.forgetAbandoned();
    underlay.start();
    server.ready(driver, ipam);
    addresses.compareEvery(config.docker().reclaimAfter().multipliedBy(COMPARE_FACTOR));
    addresses.start();
    vlans.start();
    plain.start();
    // The last to listen is the first to end: calls that still run then need all the rest.
    started.remove(server);
    started.push(server);
    if (!lost.isLost()) {
      networks.leaveUnused();
    }
    reclaim.start(() -> {
      journal.catchUp();
      ipam.forgetAbandoned();
      leftovers.look(Calls.uptime());
      networks.takeBackUnmade();
      if (!lost.isLost()) {
        networks.leaveUnused();
      }
    });
    store.whenEtcdIsBack(() -> {
      news.tell();
      if (!lost.isLost()) {
        // Not behind Docker's answers: the other hosts would make networks of it.
        Thread.startVirtualThread(networks::takeBackUnmade);
      }
    });
    keeper.start();
    serve(config.adminSocket(), admin);
    LOG.info(
        "serving {} with etcd {}, state in {}",
        config.sockets(),
        etcd.endpoints(),
        config.stateDir());
  }

  /** Where RUN_DIR can't be written, there is no admin socket either, by which CNI would call. */
  private Journal attachments(Config config) {
    Journal journal;
    try {
      journal = Journal.open(config.runDir().resolve("cni"));
    } catch (JournalException e) {
      LOG.error("CNI does not work: {}", e.getMessage());
      journal = Journal.open(config.stateDir().resolve("cni"));
    }
    started(journal);
    if (journal.isDamaged()) {
      // What it lacks is found by the sandboxes that use it, or by none that does.
      try {
        journal.repaired();
      } catch (JournalException e) {
        LOG.error("{}", e.getMessage());
      }
    }
    return journal;
  }

  private Etcd etcd(Config config, HostUnderlay host) {
    return switch (config.etcd()) {
      case EtcdChoice.Own own -> started(Etcd.open(own.settings()));
      case EtcdChoice.Joined joined ->
          started(Etcd.open(joined.line().settings(config.stateDir().resolve("joined"))));
      case EtcdChoice.Carried _ -> {
        EtcdServer server = started(EtcdServer.start(config.stateDir(), host::knownAddress));
        Etcd etcd = started(Etcd.open(server.settings()));
        server.whenRenewed(etcd::renew);
        if (!etcd.awaitAnswer(OWN_ETCD_PATIENCE)) {
          LOG.warn("the etcd of this host does not answer yet; what can do without it goes on");
        }
        yield etcd;
      }
    };
  }

  /** Containers need nothing of it. */
  private void serve(Path adminSocket, Admin admin) {
    try {
      started(AdminServer.start(adminSocket, admin));
    } catch (Refused e) {
      LOG.error("no questions are answered: {}", e.getMessage());
    }
  }

  /** Any change may be to something of ours; a pass that finds nothing to do costs a dump. */
  private static void wake(Event event, Reconciler reconciler) {
    LOG.trace("{}", event);
    reconciler.wake();
  }

  private <T extends AutoCloseable> T started(T part) {
    started.push(part);
    return part;
  }

  @Override
  public void close() {
    while (!started.isEmpty()) {
      AutoCloseable part = started.pop();
      try {
        part.close();
      } catch (Exception e) {
        LOG.warn("{} did not end cleanly", part.getClass().getSimpleName(), e);
      }
    }
  }
}
