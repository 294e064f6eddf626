package io.flannelvlan.driver;

import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.driver.kernel.Underlay;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.ipam.Addresses;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.net.IpAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the VLANs along to where this host is found now. Without an address at all, everything
 * stays as it was.
 *
 * <p>On the thread of {@link UnderlayWatch} alone.
 */
final class UnderlayMoves {

  private static final Logger LOG = LoggerFactory.getLogger(UnderlayMoves.class);

  private final Networks networks;
  private final HostVlans vlans;
  private final Addresses addresses;
  private final HostUnderlay host;
  private final KernelSide kernel;
  private final Runnable beforeMoving;

  /** What was to be moved, and could not be, at the last look. */
  private Set<Move> left = Set.of();

  /**
   * Something that follows.
   *
   * @param beforeMoving called once when something has to move: ways that led from the old place
   */
  UnderlayMoves(
      Networks networks,
      HostVlans vlans,
      Addresses addresses,
      HostUnderlay host,
      KernelSide kernel,
      Runnable beforeMoving) {
    this.networks = networks;
    this.vlans = vlans;
    this.addresses = addresses;
    this.host = host;
    this.kernel = kernel;
    this.beforeMoving = beforeMoving;
  }

  private record Move(HostVlan vlan, VlanLinks from, VlanLinks to, IpAddress address) {}

  /** Follows; false if something could not be moved, and is to be tried again. */
  boolean follow() {
    Set<Move> failed = new HashSet<>();
    List<Move> moves = new ArrayList<>();
    KernelState state = host.kernel().get();
    networks.forEachVlan((links, options) -> {
      Optional<Move> move = move(links, options.iface(), state);
      move.ifPresent(moves::add);
      move.filter(one -> !perform(one, moves.size() == 1)).ifPresent(failed::add);
    });
    if (!moves.isEmpty()) {
      kernel.wake();
    }
    left = failed;
    return failed.isEmpty();
  }

  private Optional<Move> move(VlanLinks present, Optional<String> wish, KernelState state) {
    return vlans
        .byName(present.vlan())
        .flatMap(vlan ->
            host.follow(wish, present, state)
                .map(now -> move(vlan, present, now, host.publicAddress(now, wish))))
        .filter(move ->
            !move.to().equals(present) || !move.address().equals(move.vlan().publicAddress()));
  }

  private static Move move(HostVlan vlan, VlanLinks present, Underlay now, IpAddress address) {
    return new Move(vlan, present, present.on(now), address);
  }

  /** One that fails keeps no other from moving; false then. */
  private boolean perform(Move move, boolean first) {
    String name = move.vlan().name();
    boolean again = left.contains(move);
    try {
      if (first && !again) {
        beforeMoving.run();
      }
      vlans.move(name, move.address(), networks.put(new Batch(), move.to()));
    } catch (RuntimeException e) {
      // Such as a full disk.
      if (!again) {
        LOG.warn("VLAN {} does not follow to {}: {}", name, move.address(), e.getMessage());
      }
      return false;
    }
    addresses.publishAll(move.vlan().range());
    LOG.info(
        "VLAN {} moved from {} on {} to {} on {}",
        name,
        move.vlan().publicAddress(),
        move.from().underlay(),
        move.address(),
        move.to().underlay());
    return true;
  }
}
