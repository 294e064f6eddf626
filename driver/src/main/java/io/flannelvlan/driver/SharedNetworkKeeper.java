package io.flannelvlan.driver;

import io.flannelvlan.dockerengine.DockerEngine;
import io.flannelvlan.dockerengine.EngineException;
import io.flannelvlan.dockerengine.ListedNetwork;
import io.flannelvlan.driver.shared.Announcements;
import io.flannelvlan.driver.shared.NetworkChoice;
import io.flannelvlan.driver.shared.NetworkHere;
import io.flannelvlan.driver.shared.SharedNetwork;
import io.flannelvlan.driver.shared.Situation;
import io.flannelvlan.driver.shared.Step;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.FlannelKeys;
import io.flannelvlan.journal.JournalException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees to it that each VLAN's Docker network is on every host that wants it.
 *
 * <p>Level, not edge: whenever etcd or this host's networks change, all of it is compared anew, and
 * what failed is tried again, ever more seldom. In the background alone: no call of dockerd waits
 * for it, and it holds no lock while it asks Docker or etcd.
 */
final class SharedNetworkKeeper implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(SharedNetworkKeeper.class);

  /** While the journal's records are being had back. */
  private static final Duration LOST_RETRY = Duration.ofSeconds(1);

  /** Whatever matters wakes it. */
  private static final Duration IDLE = Duration.ofHours(1);

  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(2);

  private final SharedView view;
  private final Networks networks;
  private final NetworkChoice choice;
  private final LostRecords lost;
  private final NetworkSteps steps;
  private final DockerEngine engine;
  private final Thread thread = Thread.ofVirtual().name("shared-networks").unstarted(this::run);

  private final News news = new News();

  /** What stands in the way, by VLAN. */
  private final Map<String, String> troubles = new ConcurrentHashMap<>();

  /** The VLANs whose networks are to be made. */
  private volatile Set<String> awaited = Set.of();

  // Touched by the thread alone.
  private final Setbacks setbacks = new Setbacks();
  private final Announcements announcements = new Announcements();
  private final Set<String> told = new HashSet<>();

  SharedNetworkKeeper(
      SharedView view,
      Networks networks,
      NetworkChoice choice,
      LostRecords lost,
      NetworkSteps steps,
      DockerEngine engine) {
    this.view = view;
    this.networks = networks;
    this.choice = choice;
    this.lost = lost;
    this.steps = steps;
    this.engine = engine;
  }

  void start() {
    networks.whenChanged(news::tell);
    view.start(news::tell);
    thread.start();
  }

  /** Why the network of this VLAN is not here yet, though it should be; empty if it need not be. */
  Optional<String> delay(String vlan) {
    return Optional.ofNullable(troubles.get(vlan))
        .or(() -> Optional.of("it is being made").filter(_ -> awaited.contains(vlan)));
  }

  private void run() {
    Duration pause = Duration.ZERO;
    try {
      while (true) {
        boolean _ = news.await(pause);
        try {
          pause = pass();
        } catch (RuntimeException e) {
          LOG.error("the VLANs' networks are not looked after: {}", e.getMessage(), e);
          pause = Announcements.PATIENCE;
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /** One comparison, and what follows from it; returns when to look again at the latest. */
  private Duration pass() {
    Optional<SharedView.Shown> shown = view.current();
    if (shown.isEmpty()) {
      announcements.etcdIsAway();
      return IDLE;
    }
    if (lost.isLost()) {
      return LOST_RETRY;
    }
    tellOdd(shown.get());
    Duration now = Calls.uptime();
    List<Step> wanted = situation(shown.get(), now).steps();
    setbacks.keepOnly(wanted);
    troubles.keySet().retainAll(wanted.stream().map(Step::name).collect(Collectors.toSet()));
    awaited =
        wanted.stream()
            .filter(Step.Place.class::isInstance)
            .map(Step::name)
            .collect(Collectors.toSet());
    Supplier<Map<String, ListedNetwork>> listed = once();
    wanted.stream()
        .filter(step -> setbacks.isDue(step, now))
        .forEach(step -> attempt(step, listed));
    Duration latest = announcements.isAny() ? Announcements.PATIENCE : IDLE;
    return setbacks
        .next()
        .map(due -> due.minus(Calls.uptime()))
        .filter(left -> left.compareTo(latest) < 0)
        .orElse(latest);
  }

  /** What nothing can be done about here, once each. */
  private void tellOdd(SharedView.Shown shown) {
    shown
        .networks()
        .forEach((vlan, word) -> {
          if (word instanceof SharedNetwork.Unreadable u && told.add(vlan + u.reason())) {
            LOG.error(
                "VLAN {}: {} in etcd can't be read, and its network stays as it is on each host: {}."
                    + " Delete that key, and a host that has the network writes it anew",
                vlan,
                FlannelKeys.network(vlan),
                u.reason());
          }
        });
    if (choice instanceof NetworkChoice.Only only) {
      for (String vlan : only.vlans()) {
        if (!shown.vlans().containsKey(vlan) && told.add(vlan)) {
          LOG.warn("NETWORKS names VLAN {}, which is not in etcd: it comes when it is there", vlan);
        }
      }
    }
  }

  private Situation situation(SharedView.Shown shown, Duration now) {
    Map<String, SharedNetwork> words = shown.networks();
    announcements.shown(words, now);
    Set<String> overdue = announcements.overdue(now);
    List<NetworkHere> here =
        networks.all().stream()
            .filter(network -> !CniNetworks.isOne(network.id()))
            .map(n -> new NetworkHere(n.id(), n.vlan(), n.dockersIpam(), n.created()))
            .toList();
    return new Situation(shown.vlans(), words, overdue, here, steps.settledByVlan(), choice);
  }

  /** The engine's networks by id, asked for when the first step needs them. */
  private Supplier<Map<String, ListedNetwork>> once() {
    Map<String, ListedNetwork> all = new HashMap<>();
    boolean[] asked = {false};
    return () -> {
      if (!asked[0]) {
        engine.networks().forEach(network -> all.put(network.id(), network));
        asked[0] = true;
      }
      return all;
    };
  }

  private void attempt(Step step, Supplier<Map<String, ListedNetwork>> listed) {
    try {
      if (steps.carryOut(step, listed)) {
        troubles.remove(step.name());
      }
      // Also when it is done: its effect is seen in a moment, and until then it is the same step.
      setbacks.tooEarly(step, Calls.uptime());
    } catch (EngineException | EtcdException | JournalException e) {
      setbacks.failed(step, Calls.uptime());
      tell(step, String.valueOf(e.getMessage()));
    }
  }

  private void tell(Step step, String reason) {
    String what =
        switch (step) {
          case Step.Place place ->
              "its network "
                  + place.network()
                  + " can't be made in this host's Docker, and is tried again: "
                  + reason;
          case Step.Publish _ -> "its network is not described to the other hosts yet: " + reason;
          case Step.Remove remove ->
              "host "
                  + remove.why().by()
                  + " had it removed everywhere, but its network "
                  + remove.id()
                  + " is still in this host's Docker: "
                  + reason;
          case Step.Settle _, Step.Discard _ -> reason;
        };
    if (!what.equals(troubles.put(step.name(), what)) && !thread.isInterrupted()) {
      LOG.error("VLAN {}: {}", step.name(), what);
    }
  }

  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join(CLOSE_PATIENCE.toMillis());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
