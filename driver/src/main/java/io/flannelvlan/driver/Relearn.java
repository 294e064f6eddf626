package io.flannelvlan.driver;

import io.flannelvlan.dockerengine.Attachment;
import io.flannelvlan.dockerengine.DockerEngine;
import io.flannelvlan.dockerengine.EngineContainer;
import io.flannelvlan.dockerengine.EngineNetwork;
import io.flannelvlan.dockerengine.ListedNetwork;
import io.flannelvlan.dockerplugin.PortBinding;
import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.kernel.Desired;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.FlannelFormatException;
import io.flannelvlan.flannel.VlanException;
import io.flannelvlan.journal.JournalException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes over from Docker what it has of ours and the journal does not know: after the state
 * directory was lost or put back from an old copy, also under running containers. The subnet, the
 * VTEP's MAC and the addresses come from etcd.
 *
 * <p>On the thread of {@link Reclaim} alone.
 */
final class Relearn {

  private static final Logger LOG = LoggerFactory.getLogger(Relearn.class);

  private final RecalledCalls recalled;
  private final Networks networks;
  private final Endpoints endpoints;
  private final NetworkDriver driver;
  private final KernelSide kernel;
  private final Supplier<KernelState> view;
  private final LostRecords lost;
  private final Calls calls;

  /** Networks that we do not know, since which look. */
  private Map<String, Duration> unknown = Map.of();

  /** Said once each. */
  private final Set<String> told = new HashSet<>();

  /** Something that takes over. */
  Relearn(
      RecalledCalls recalled,
      Networks networks,
      Endpoints endpoints,
      NetworkDriver driver,
      KernelSide kernel,
      Supplier<KernelState> view,
      LostRecords lost,
      Calls calls) {
    this.recalled = recalled;
    this.networks = networks;
    this.endpoints = endpoints;
    this.driver = driver;
    this.kernel = kernel;
    this.view = view;
    this.lost = lost;
    this.calls = calls;
  }

  /** How an attempt ended; the worst of several is the last of them here. */
  private enum Attempt {
    DONE,
    /** For a reason that somebody has to do something about. */
    REFUSED,
    /** Etcd is away, the disk full, or dockerd just spoke of it: it may succeed next time. */
    TOO_EARLY;

    Attempt or(Attempt other) {
      return compareTo(other) >= 0 ? this : other;
    }
  }

  /** The ids of the networks that are ours by Docker's word. */
  Set<String> ours(List<ListedNetwork> listed) {
    return listed.stream()
        .filter(network -> network.driver().equals(recalled.driverName()))
        .map(ListedNetwork::id)
        .collect(Collectors.toSet());
  }

  /**
   * Takes over what there is to be taken over.
   *
   * @param listed all of the engine's networks
   * @param asked when it was asked for them
   */
  void look(DockerEngine engine, List<ListedNetwork> listed, Duration asked) {
    Set<String> ours = ours(listed);
    Map<String, Duration> before = unknown;
    unknown = new HashMap<>();
    if (lost.isLost()) {
      haveBack(engine, listed, ours, asked);
      return;
    }
    for (String id : ours) {
      if (!networks.isWhole(id)) {
        // One that is being made or removed is unknown to one of us for a moment.
        Duration since = before.getOrDefault(id, asked);
        if (since.compareTo(asked) < 0 && !calls.since(id, since)) {
          takeOver(engine, listed, Set.of(id), asked);
        }
        unknown.put(id, calls.since(id, since) ? asked : since);
      }
    }
  }

  private void haveBack(
      DockerEngine engine, List<ListedNetwork> listed, Set<String> ours, Duration asked) {
    Attempt attempt = takeOver(engine, listed, ours, asked);
    Set<String> strangers = endpoints.unknownLinks(view.get());
    if (attempt == Attempt.DONE && strangers.isEmpty()) {
      lost.found();
      kernel.wake();
    } else if (attempt == Attempt.DONE && told.add(strangers.toString())) {
      LOG.error(
          "Docker does not know who has the other ends of {}, which lead into sandboxes: they stay,"
              + " and so does what else was lost. Is DOCKER_HOST the Docker that uses this plugin?"
              + " If nothing uses them, remove them (ip link del)",
          strangers);
    }
    // An engine that has nothing of ours, while a sandbox has, may not be ours either.
    boolean isOurs = !ours.isEmpty() || strangers.isEmpty();
    if (attempt != Attempt.TOO_EARLY && isOurs && lost.extent() == Desired.Extent.BEGUN) {
      lost.asked();
      kernel.wake();
    }
  }

  private Attempt takeOver(
      DockerEngine engine, List<ListedNetwork> listed, Set<String> ids, Duration asked) {
    if (ids.isEmpty()) {
      return Attempt.DONE;
    }
    List<EngineContainer> containers = engine.containers();
    Set<String> internal =
        listed.stream()
            .filter(ListedNetwork::internal)
            .map(ListedNetwork::id)
            .collect(Collectors.toSet());
    Attempt all = Attempt.DONE;
    for (String id : ids) {
      EngineNetwork network = engine.network(id);
      KernelState state = view.get();
      List<Found> found = new ArrayList<>();
      for (Attachment attachment : network.attachments()) {
        recalled
            .endpoint(attachment)
            .filter(endpoint -> state.sandboxLinks().contains(endpoint.hostLink()))
            .map(endpoint ->
                new Found(endpoint, RecalledCalls.ports(endpoint, engine, containers, internal)))
            .filter(this::isNews)
            .ifPresent(found::add);
      }
      // All questions are asked by now, so that no silence of Docker leaves half of it.
      all = all.or(takeOver(network, found, asked));
    }
    return all;
  }

  /** An endpoint in use, with the ports that it should have. */
  private record Found(Endpoint endpoint, List<PortBinding> ports) {}

  /** What is left of a damaged journal may be an older state. */
  private boolean isNews(Found found) {
    Optional<Endpoint> known = endpoints.find(found.endpoint().id());
    return known.isEmpty()
        || known.get().state() == Endpoint.State.CREATED
        || !PortPublishing.isPublished(known.get().ports(), found.ports());
  }

  private Attempt takeOver(EngineNetwork network, List<Found> found, Duration asked) {
    String id = network.id();
    try {
      if (!networks.isWhole(id)) {
        if (!driver.takeOver(recalled.network(network, view.get()), asked)) {
          return Attempt.TOO_EARLY;
        }
        LOG.warn("network {} was unknown here: taken over from Docker", id);
      }
    } catch (RuntimeException e) {
      return failed("network " + id, e);
    }
    Attempt all = Attempt.DONE;
    for (Found each : found) {
      all = all.or(takeOver(each, asked));
    }
    return all;
  }

  private Attempt takeOver(Found found, Duration asked) {
    String id = found.endpoint().id();
    try {
      if (!driver.takeOver(found.endpoint(), found.ports(), asked)) {
        return Attempt.TOO_EARLY;
      }
      LOG.warn("endpoint {} was unknown here: taken over from Docker", id);
      return Attempt.DONE;
    } catch (RuntimeException e) {
      return failed("endpoint " + id, e);
    }
  }

  private Attempt failed(String what, RuntimeException e) {
    Throwable reason = e instanceof Refused && e.getCause() != null ? e.getCause() : e;
    Attempt attempt =
        switch (reason) {
          case EtcdException _, JournalException _ -> Attempt.TOO_EARLY;
          case Refused _, VlanException _, FlannelFormatException _, IllegalArgumentException _ ->
              Attempt.REFUSED;
          default -> throw e;
        };
    String trouble = what + " that Docker has is unknown here and can't be taken over: ";
    if (told.add(trouble + e.getMessage())) {
      LOG.error("{}{}", trouble, e.getMessage());
    }
    return attempt;
  }
}
