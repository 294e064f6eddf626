package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.IpamApi;
import io.flannelvlan.dockerplugin.Manifest;
import io.flannelvlan.dockerplugin.NetworkApi;
import io.flannelvlan.dockerplugin.PluginServer;
import io.flannelvlan.driver.kernel.Kernel;
import io.flannelvlan.driver.kernel.KernelView;
import io.flannelvlan.driver.kernel.Reconciler;
import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.flannel.Reservations;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.ipam.Addresses;
import io.flannelvlan.ipam.IpamDriver;
import io.flannelvlan.ipam.Pools;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.netlink.Event;
import io.flannelvlan.netlink.Events;
import io.flannelvlan.netlink.Rtnl;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Deque;
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
    Clock clock = Clock.systemUTC();
    SecureRandom random = new SecureRandom();
    PluginServer server = started(PluginServer.start(config.socket(), MANIFEST));
    Journal journal = started(Journal.open(config.stateDir()));
    Etcd etcd = started(Etcd.open(config.etcd()));
    VlanStore store = new VlanStore(etcd, config.keys(), random, clock);
    Reservations reservations = new Reservations(etcd, random);
    Reconciler reconciler = started(new Reconciler(new Kernel(Rtnl.open())));
    KernelView view = started(new KernelView(Rtnl.open()));
    KernelSide kernel = new KernelSide(reconciler, view);
    HostVlans vlans =
        started(new HostVlans(store, journal, random, clock, reconciler::wakeWhenQuiet));
    HostUnderlay host = new HostUnderlay(config.iface(), config.publicIp(), view);
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
    Holdings holdings = new Holdings(networks, endpoints, addresses, driver, view);
    Reclaim reclaim =
        started(new Reclaim(config.docker(), holdings, calls, new KnownEngine(journal)));

    reconciler.start(new Wishes(vlans, networks, endpoints, config.masquerade())::desired);
    started(Events.ofLinks(event -> wake(event, reconciler)));
    started(Events.ofNftables(_ -> reconciler.suspectFirewall()));
    ports.start();
    ipam.forgetAbandoned();
    server.ready(driver, ipam);
    // Before the VLANs: what was left behind is to be looked at while that is still known.
    addresses.start();
    vlans.start();
    // The last to listen is the first to end: calls that still run then need all the rest.
    started.remove(server);
    started.push(server);
    networks.leaveUnused();
    reclaim.start(() -> {
      ipam.forgetAbandoned();
      networks.leaveUnused();
    });
    LOG.info(
        "serving {} with etcd {}, state in {}",
        config.socket(),
        config.etcd().endpoints(),
        config.stateDir());
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
