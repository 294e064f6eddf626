package io.flannelvlan.driver;

import io.flannelvlan.driver.kernel.Desired;
import io.flannelvlan.driver.kernel.KernelState;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lost records on a host where nobody is at Docker's socket: if its containers are pods alone,
 * there is nobody whose answer would be worth waiting for.
 *
 * <p>Docker may also just be away, and must lose nothing by this. Its running containers have links
 * into sandboxes that are no pod's, and as long as there is one all stays as it is. Of what else it
 * may have, no link is removed before Docker has told; and it may tell at any time.
 *
 * <p>On the thread of {@link Reclaim} alone.
 */
final class WithoutDocker {

  private static final Logger LOG = LoggerFactory.getLogger(WithoutDocker.class);

  private final Networks networks;
  private final Endpoints endpoints;
  private final KnownEngine known;
  private final LostRecords lost;
  private final Supplier<KernelState> view;
  private final Runnable changed;

  /** Said once. */
  private Set<String> told = Set.of();

  /**
   * For the host with these records.
   *
   * @param changed begins a pass of the reconciler
   */
  WithoutDocker(
      Networks networks,
      Endpoints endpoints,
      KnownEngine known,
      LostRecords lost,
      Supplier<KernelState> view,
      Runnable changed) {
    this.networks = networks;
    this.endpoints = endpoints;
    this.known = known;
    this.lost = lost;
    this.view = view;
    this.changed = changed;
  }

  /** Nobody was there when Docker was asked. */
  void look() {
    if (lost.extent() == Desired.Extent.ALL || known.isAny() || hasDockersNetwork()) {
      return;
    }
    KernelState state = view.get();
    Set<String> others = notOfPods(state);
    if (!others.isEmpty()) {
      tell(others);
      return;
    }
    if (allVlansOf(state)) {
      LOG.info("all links of ours are pods', and nobody is at Docker's socket: none is missing");
      lost.linksAccountedFor();
      changed.run();
    } else if (lost.extent() == Desired.Extent.BEGUN) {
      LOG.warn("links of VLANs without a container stay until Docker tells whose they are");
      lost.asked();
      changed.run();
    }
  }

  private boolean hasDockersNetwork() {
    return networks.all().stream().anyMatch(network -> !CniNetworks.isOne(network.id()));
  }

  /** The links into sandboxes that CNI's records do not account for. */
  private Set<String> notOfPods(KernelState state) {
    return endpoints.sandboxLinksBeside(state, endpoint -> CniNetworks.isOne(endpoint.network()));
  }

  /** Whether each bridge and tunnel of ours is of a VLAN that this host knows to be in. */
  private boolean allVlansOf(KernelState state) {
    Set<String> whole =
        networks.all().stream()
            .filter(network -> networks.isWhole(network.id()))
            .map(Network::vlan)
            .collect(Collectors.toSet());
    return whole.containsAll(state.vlanLinks().keySet());
  }

  private void tell(Set<String> others) {
    if (!others.equals(told)) {
      told = Set.copyOf(others);
      LOG.error(
          "nobody tells who has the other ends of {}, which lead into sandboxes: they stay, and no"
              + " VLAN is joined meanwhile. Start Docker if it has them; if these are pods, delete"
              + " them, their runtime makes them anew; if nothing uses them: ip link del",
          others);
    }
  }
}
