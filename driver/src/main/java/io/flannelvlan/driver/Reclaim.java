package io.flannelvlan.driver;

import io.flannelvlan.dockerengine.DockerEngine;
import io.flannelvlan.dockerengine.EngineContainer;
import io.flannelvlan.dockerengine.EngineException;
import io.flannelvlan.dockerengine.ListedNetwork;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives up what Docker no longer has: endpoints and networks that it deleted while nobody listened
 * here, addresses whose answer it never got.
 *
 * <p>In the background alone; no call waits for it, and it holds no lock while it asks. Without an
 * answer of Docker, or with one of another engine, nothing is given up, and what was seen before
 * counts no more.
 */
final class Reclaim implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Reclaim.class);

  /** Between looks while Docker has yet to tell something, at first. */
  private static final Duration RETRY = Duration.ofSeconds(1);

  private static final Duration NEWS_DELAY = Duration.ofMillis(500);

  private final DockerSettings docker;
  private final Holdings holdings;
  private final Calls calls;
  private final KnownEngine known;
  private final LostRecords lost;
  private final Relearn relearn;
  private final WithoutDocker without;
  private final DockersBridges bridges;
  private final News news;
  private final Thread thread;

  private Runnable chores = () -> {};
  private Evidence evidence = Evidence.NONE;

  /** After how long what Docker has yet to tell is asked for again. */
  private Duration retry = RETRY;

  /** How many passes in a row brought no view. One is nothing: a network may be on its way. */
  private int silent;

  /** Whether the engine is known to be ours since it last failed to answer. */
  private boolean learned;

  /** Said once each. */
  private final Set<Held> keptInUse = new HashSet<>();

  Reclaim(
      DockerSettings docker,
      Holdings holdings,
      Calls calls,
      KnownEngine known,
      LostRecords lost,
      Relearn relearn,
      WithoutDocker without,
      DockersBridges bridges,
      News news) {
    this.docker = docker;
    this.holdings = holdings;
    this.calls = calls;
    this.known = known;
    this.lost = lost;
    this.relearn = relearn;
    this.without = without;
    this.bridges = bridges;
    this.news = news;
    this.thread = Thread.ofVirtual().name("reclaim").unstarted(this::run);
  }

  /**
   * Begins to look, at once and then after each grace time, or soon after news.
   *
   * @param more what is to be looked after as often, and needs no Docker
   */
  void start(Runnable more) {
    chores = more;
    thread.start();
  }

  private void run() {
    DockerEngine engine = new DockerEngine(docker.socket());
    try {
      while (true) {
        try {
          pass(engine);
          chores.run();
        } catch (RuntimeException e) {
          // Such as a full disk; it is tried again.
          LOG.error("what Docker no longer has is not given up: {}", e.getMessage(), e);
        }
        Duration pause = pause();
        if (news.await(pause)) {
          // dockerd lists a network some time after it has made its bridge.
          news.gather(NEWS_DELAY);
          retry = RETRY;
        } else if (silent == 0 && pause.compareTo(docker.reclaimAfter()) >= 0) {
          bridges.takeForOthers();
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * While Docker has something to tell, soon again; longer and longer if its answer has nothing.
   */
  private Duration pause() {
    Duration longest = docker.reclaimAfter();
    boolean isLost = lost.isLost();
    if (!isLost && !bridges.isOneUnexplained()) {
      retry = RETRY;
      return longest;
    }
    Duration pause = retry.compareTo(longest) < 0 ? retry : longest;
    retry = isLost && silent > 0 ? RETRY : pause.multipliedBy(2);
    return pause;
  }

  private void pass(DockerEngine engine) {
    Duration asked = calls.now();
    calls.forgetBefore(asked.minus(docker.reclaimAfter().multipliedBy(4)));
    List<Held> held = holdings.all();
    Evidence before = evidence;
    evidence = Evidence.NONE;
    try {
      List<ListedNetwork> listed = engine.networks();
      Set<String> ours = networks(held);
      boolean showsOurs = listed.stream().map(ListedNetwork::id).anyMatch(ours::contains);
      bridges.listed(listed, () -> !known.isAny() || isOurs(engine, showsOurs));
      relearn.look(engine, listed, asked);
      if (!held.isEmpty()) {
        requireOurs(engine, showsOurs);
        evidence = before.and(view(engine, listed, held, ours), held, asked, calls);
      }
      if (silent > 1) {
        LOG.info("Docker at {} answers again", docker.socket());
      }
      silent = 0;
    } catch (EngineException e) {
      learned = false;
      if (e.isNobodyThere()) {
        without.look();
      }
      if (++silent == 2 && !held.isEmpty()) {
        LOG.warn("what Docker no longer has stays for now: {}", e.getMessage());
      }
      return;
    }
    Evidence now = evidence;
    LOG.debug("Docker does not know {} of {} things", now.missing().size(), held.size());
    now.over(asked, docker.reclaimAfter())
        .forEach(one -> giveUp(one, now.missing().getOrDefault(one, asked)));
    keptInUse.retainAll(now.missing().keySet());
  }

  private static Set<String> networks(List<Held> held) {
    return held.stream()
        .filter(Held.OfNetwork.class::isInstance)
        .map(Held::id)
        .collect(Collectors.toSet());
  }

  private DockerView view(
      DockerEngine engine, List<ListedNetwork> listed, List<Held> held, Set<String> ours) {
    // Networks that are not had back yet have addresses too.
    Set<String> all = new HashSet<>(ours);
    all.addAll(relearn.ours(listed));
    DockerView view = DockerView.ofNetworks(engine, listed, all);
    // The longer question only where something seems to be missing.
    return held.stream().allMatch(view::knows)
        ? view
        : view.with(
            engine.containers().stream()
                .map(EngineContainer::attachments)
                .flatMap(List::stream)
                .toList());
  }

  private void requireOurs(DockerEngine engine, boolean showsOurs) {
    if (!isOurs(engine, showsOurs)) {
      throw new EngineException(
          "Docker at "
              + docker.socket()
              + " has none of this host's networks and never had one: is DOCKER_HOST the Docker"
              + " that uses this plugin?");
    }
  }

  /** Asks the engine for its id only when that is in question: Docker works hard for it. */
  private boolean isOurs(DockerEngine engine, boolean showsOurs) {
    if (showsOurs && !learned) {
      known.learn(engine.id());
      learned = true;
    }
    return showsOurs || known.is(engine.id());
  }

  private void giveUp(Held one, Duration since) {
    if (holdings.isInUse(one)) {
      if (keptInUse.add(one)) {
        LOG.warn("Docker does not know {}, but a sandbox uses it, or may: it stays", one);
      }
      return;
    }
    LOG.info("Docker no longer has {}: given up", one);
    holdings.giveUp(one, since);
  }

  @Override
  public void close() {
    thread.interrupt();
    try {
      // What is under way is short; after that nothing is given up any more.
      thread.join(TimeUnit.SECONDS.toMillis(10));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
