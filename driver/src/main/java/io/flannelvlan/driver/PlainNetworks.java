package io.flannelvlan.driver;

import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.SubnetFile;
import io.flannelvlan.flannel.SubnetFiles;
import io.flannelvlan.flannel.VlanException;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.flannel.host.PlainSubnet;
import io.flannelvlan.journal.JournalException;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.netlink.Event;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what a plain dockerd needs to be in a VLAN: the file that names a subnet for it, and the
 * lease of that subnet once its bridge is there. So do other programs that read flannel's files.
 *
 * <p>Level, not edge: whatever wakes it, a round compares all VLANs with the kernel, etcd and the
 * files.
 */
final class PlainNetworks implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(PlainNetworks.class);

  /** Events come in swarms when a dockerd or a container starts; one round serves them all. */
  private static final Duration CALM = Duration.ofMillis(200);

  /** Finds what no event told of, a file that somebody removed above all. */
  private static final Duration TICK = Duration.ofSeconds(30);

  private static final Duration RETRY = Duration.ofSeconds(2);

  private final HostVlans vlans;
  private final Networks networks;
  private final SubnetFiles files;
  private final Supplier<KernelState> kernel;
  private final BooleanSupplier lost;
  private final boolean masquerade;
  private final Thread thread = Thread.ofVirtual().name("plain-networks").unstarted(this::run);

  private final News news = new News();

  /** What the log has said already, by VLAN, and of the directory; of the thread alone. */
  private final Map<String, String> said = new HashMap<>();

  /** The subnets that were leased for others in the last round; of the thread alone. */
  private Map<String, Cidr> leased = Map.of();

  /**
   * Not yet started.
   *
   * @param lost whether the records of this host are not all there: then no file is removed
   * @param masquerade whether VLANs reach the outside under this host's address
   */
  PlainNetworks(
      HostVlans vlans,
      Networks networks,
      SubnetFiles files,
      Supplier<KernelState> kernel,
      BooleanSupplier lost,
      boolean masquerade) {
    this.vlans = vlans;
    this.networks = networks;
    this.files = files;
    this.kernel = kernel;
    this.lost = lost;
    this.masquerade = masquerade;
    vlans.plain().usedAs(this::isUsed);
  }

  /** By a link, or about to be: our file is what a dockerd that starts in a moment reads. */
  private boolean isUsed(String vlan, Cidr subnet) {
    InterfaceAddress gateway = subnet.at(1);
    return files.subnetOf(vlan).equals(Optional.of(gateway)) || isCarried(subnet, kernel.get());
  }

  private static boolean isCarried(Cidr subnet, KernelState state) {
    return state.foreignCarrier(subnet.at(1)).isPresent();
  }

  void start() {
    vlans.whenChanged(news::tell);
    networks.whenChanged(news::tell);
    thread.start();
  }

  /** Something changed in the kernel. */
  void heard(Event event) {
    switch (event) {
      case Event.AddressChanged _, Event.Overrun _ -> news.tell();
      case Event.LinkChanged _,
          Event.RouteChanged _,
          Event.NeighborChanged _,
          Event.SettingChanged _,
          Event.NftablesChanged _ -> {}
    }
  }

  private void run() {
    Duration wait = Duration.ZERO;
    try {
      while (true) {
        if (news.await(wait) && !wait.isZero()) {
          news.gather(CALM);
        }
        wait = isDone() ? TICK : RETRY;
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /** False if something has to be tried again soon. */
  private boolean isDone() {
    try {
      return round(kernel.get());
    } catch (RuntimeException e) {
      // Whatever it is, such as a kernel that does not tell, the next round may be better.
      tell("*", "the files for plain dockerds are not kept: " + e);
      return false;
    }
  }

  private boolean round(KernelState state) {
    boolean done = true;
    Set<String> named = new HashSet<>();
    Map<String, Cidr> held = new HashMap<>();
    for (VlanLinks links : networks.links()) {
      done &= settle(links.vlan(), state);
      Optional<HostVlan> vlan = vlans.byName(links.vlan()).filter(v -> v.plain().isPresent());
      if (vlan.isPresent()) {
        PlainSubnet plain = vlan.get().plain().get();
        named.add(links.vlan());
        if (plain.leased()) {
          held.put(links.vlan(), plain.subnet());
        }
        done &= write(links, vlan.get().range(), plain);
      }
    }
    done &= lost.getAsBoolean() || clear(named);
    leased.forEach((vlan, subnet) -> tellIfLeft(vlan, subnet, state));
    leased = Map.copyOf(held);
    return done;
  }

  private boolean settle(String vlan, KernelState state) {
    try {
      vlans.plain().settle(vlan, subnet -> isCarried(subnet, state));
      return true;
    } catch (EtcdException e) {
      LOG.debug("the plain subnet of VLAN {} waits: {}", vlan, e.getMessage());
    } catch (VlanException | JournalException e) {
      // One VLAN's trouble must not keep the others' files.
      tell(vlan, "the plain subnet of VLAN " + vlan + ": " + e.getMessage());
    }
    return false;
  }

  private boolean write(VlanLinks links, Cidr range, PlainSubnet plain) {
    // Inside an internal VLAN nobody masquerades, so dockerd must not either.
    SubnetFile file =
        new SubnetFile(range, plain.subnet().at(1), links.mtu(), masquerade || links.internal());
    try {
      if (files.put(links.vlan(), file)) {
        said.remove(links.vlan());
      } else {
        tell(
            links.vlan(),
            files.of(links.vlan())
                + " is not flannelvlan's (stock flanneld?) and stays: a plain dockerd that reads it"
                + " gets no subnet of flannelvlan's");
      }
      return true;
    } catch (IOException e) {
      tell(
          links.vlan(),
          files.of(links.vlan())
              + " can't be written, so that no plain dockerd can join VLAN "
              + links.vlan()
              + " here: "
              + e);
      return false;
    }
  }

  private boolean clear(Set<String> named) {
    try {
      files.retain(named).forEach(file -> LOG.info("removed {}", file));
      return true;
    } catch (IOException e) {
      tell("*", "files of VLANs that this host has left stay: " + e);
      return false;
    }
  }

  /** The lease is given back; who used the subnet has to hear of it. */
  private void tellIfLeft(String vlan, Cidr subnet, KernelState state) {
    if (vlans.byName(vlan).isEmpty()) {
      state
          .foreignCarrier(subnet.at(1))
          .ifPresent(link ->
              LOG.warn(
                  "this host has left VLAN {}, but {} still carries {}: restart what made it (dockerd"
                      + " --bip) with another subnet, or make a network of the VLAN again",
                  vlan,
                  link,
                  subnet.at(1)));
    }
  }

  private void tell(String what, String trouble) {
    if (!trouble.equals(said.put(what, trouble))) {
      LOG.warn("{}", trouble);
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
