package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.kernel.Desired;
import io.flannelvlan.driver.kernel.KernelLink;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.driver.kernel.Outcome;
import io.flannelvlan.driver.kernel.Plan;
import io.flannelvlan.driver.kernel.Reconciler;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.net.MacAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/** What the handlers need of the reconciler: wait for a wish to come true, or say why it can't. */
final class KernelSide {

  /** A pass takes milliseconds; deleting many veths, 16 ms each, may keep one waiting. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** A deletion takes some 16 ms. */
  private static final Duration BETWEEN_LOOKS = Duration.ofMillis(5);

  private final Reconciler reconciler;
  private final Supplier<KernelState> view;

  /**
   * The kernel's side.
   *
   * @param view a fresh look that waits for no pass
   */
  KernelSide(Reconciler reconciler, Supplier<KernelState> view) {
    this.reconciler = reconciler;
    this.view = view;
  }

  /** Refuses a VLAN whose links would meet foreign ones, before anything is done for it. */
  void requireRoom(Vlan vlan, VlanLinks links) {
    Desired.DesiredVlan wished =
        new Desired.DesiredVlan(
            vlan.name(),
            vlan.vni(),
            vlan.range(),
            List.of(),
            Wishes.links(vlan, links, new MacAddress(0)),
            links.mtu(),
            Optional.empty(),
            List.of());
    Plan plan = Plan.between(new Desired(List.of(wished)), view.get());
    if (!plan.conflicts().isEmpty()) {
      throw new Refused(plan.conflicts().getFirst().text());
    }
  }

  /**
   * Waits until the VLAN's links are there.
   *
   * @throws Refused with the kernel's own words if they can't be
   */
  void settleVlan(String vlan) {
    List<String> failures = settle().failuresOf(vlan);
    if (!failures.isEmpty()) {
      throw new Refused("VLAN " + vlan + ": " + String.join("; ", failures));
    }
  }

  /**
   * Waits until the endpoint's links are there.
   *
   * @throws Refused with the kernel's own words if they can't be
   */
  void settleEndpoint(String vlan, Endpoint endpoint) {
    Outcome outcome = settle();
    if (!outcome.has(endpoint.hostLink())) {
      throw new Refused(
          "endpoint "
              + endpoint.id()
              + " got no link "
              + endpoint.hostLink()
              + ": "
              + String.join("; ", outcome.failuresOf(vlan)));
    }
  }

  /**
   * Waits until the firewall has the rules.
   *
   * @throws Refused with nft's or iptables' own words if it can't have them
   */
  void settleFirewall() {
    List<String> failures = settle().failuresOf(Outcome.EVERYTHING);
    if (!failures.isEmpty()) {
      throw new Refused(String.join("; ", failures));
    }
  }

  /** Begins a pass soon. */
  void wake() {
    reconciler.wake();
  }

  /** Begins a pass as soon as nobody is kept waiting by it. */
  void wakeWhenQuiet() {
    reconciler.wakeWhenQuiet();
  }

  /** The link of that name as it is now. */
  Optional<KernelLink> link(String name) {
    return view.get().link(name);
  }

  /**
   * Waits until links that are not wished any more are gone. They go when nobody waits for a pass,
   * so this does not ask for one.
   *
   * @throws Refused if the kernel is busy for too long
   */
  void awaitGone(Set<String> links) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (links.stream().anyMatch(view.get().links()::containsKey)) {
      if (System.nanoTime() > end) {
        throw new Refused("the kernel still has " + links + "; it is busy, try again");
      }
      reconciler.wakeWhenQuiet();
      LockSupport.parkNanos(BETWEEN_LOOKS.toNanos());
    }
  }

  private Outcome settle() {
    try {
      return reconciler.settle(PATIENCE);
    } catch (TimeoutException _) {
      throw new Refused(
          "the kernel did not take the change within "
              + PATIENCE.toSeconds()
              + " s; it is busy, try"
              + " again");
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new Refused("flannelvlan is being stopped");
    }
  }
}
