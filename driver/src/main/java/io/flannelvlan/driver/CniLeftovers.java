package io.flannelvlan.driver;

import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.driver.kernel.Sandbox;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings attachments and endpoints together: takes over what sandboxes have and the records lost,
 * and finds what vanished containers left. A runtime that crashed, or a host that was switched off,
 * may never call DEL or GC; or not again, when the daemon was ended in the middle of one.
 *
 * <p>A container is gone if neither its namespace's file nor its link is there, seen so twice, the
 * grace time apart; so is an endpoint without attachment whose link is in no sandbox. For one
 * thread.
 */
final class CniLeftovers {

  private static final Logger LOG = LoggerFactory.getLogger(CniLeftovers.class);

  private final CniDriver driver;
  private final CniEndpoints endpoints;
  private final CniNetworks networks;
  private final Supplier<KernelState> kernel;
  private final Duration grace;

  /** Attachments and endpoints, and since when they seem gone. */
  private Map<Record, Duration> gone = new HashMap<>();

  CniLeftovers(
      CniDriver driver,
      CniEndpoints endpoints,
      CniNetworks networks,
      Supplier<KernelState> kernel,
      Duration grace) {
    this.driver = driver;
    this.endpoints = endpoints;
    this.networks = networks;
    this.kernel = kernel;
    this.grace = grace;
  }

  void look(Duration now) {
    driver.haveBack();
    Map<Record, Duration> before = gone;
    gone = new HashMap<>();
    KernelState state = kernel.get();
    // Endpoints first: an ADD writes its attachment before them.
    List<Endpoint> made = endpoints.all();
    List<CniAttachment> attachments = driver.all();
    for (CniAttachment each : attachments) {
      if (each.ending()) {
        driver.giveUp(each);
      } else if (!driver.isInUse(each, state)
          && !new Sandbox(Path.of(each.netns())).exists()
          && isOver(each, before, now)) {
        LOG.info("CNI: {} vanished without a DEL", each.id());
        driver.giveUp(each);
      }
    }
    Set<String> attached =
        attachments.stream().flatMap(each -> each.endpoints().stream()).collect(Collectors.toSet());
    for (Endpoint each : made) {
      if (!attached.contains(each.id())
          && !Holdings.isInSandbox(each, state)
          && isOver(each, before, now)) {
        LOG.info("CNI: nothing is attached by endpoint {} any more", each.id());
        endpoints.giveUp(each);
      }
    }
    networks.leaveUnused(network ->
        driver.vlans().contains(network.vlan()) || !endpoints.of(network.id()).isEmpty());
  }

  private boolean isOver(Record one, Map<Record, Duration> before, Duration now) {
    Duration since = before.getOrDefault(one, now);
    if (now.minus(since).compareTo(grace) >= 0) {
      return true;
    }
    gone.put(one, since);
    return false;
  }
}
