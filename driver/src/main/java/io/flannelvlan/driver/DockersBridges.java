package io.flannelvlan.driver;

import io.flannelvlan.dockerengine.ListedNetwork;
import io.flannelvlan.driver.kernel.KernelLink;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.driver.kernel.Mark;
import io.flannelvlan.firewall.VlanRules;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.journal.JournalException;
import io.flannelvlan.journal.Table;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bridges of Docker's own networks on this host, which VLANs must not reach: those that are
 * called as dockerd calls them, and those that users named, by Docker's last word, which a restart
 * knows too.
 */
final class DockersBridges {

  private static final Logger LOG = LoggerFactory.getLogger(DockersBridges.class);
  private static final String KEY = "docker";
  private static final String DRIVER = "bridge";

  /** The journal's record. */
  record Named(Set<String> bridges) {

    Named {
      bridges = Set.copyOf(bridges);
    }
  }

  private final Journal journal;
  private final Table<Named> table;
  private final Runnable changed;
  private final Runnable appeared;

  private volatile Set<String> named;

  /** What was there at the last look; of the kernel thread alone. */
  private Set<String> seen = Set.of();

  /** Those that appeared and are in no list of Docker's since. */
  private final Set<String> unexplained = ConcurrentHashMap.newKeySet();

  /**
   * Those that the journal knows.
   *
   * @param changed called when Docker names others
   * @param appeared called when there is a bridge that may be one of them: ask Docker soon
   */
  DockersBridges(Journal journal, Runnable changed, Runnable appeared) {
    this.journal = journal;
    this.table = journal.table("dockersBridges", Named.class);
    this.named = written();
    this.changed = changed;
    this.appeared = appeared;
  }

  /**
   * Docker's list of all its networks.
   *
   * @param isOurs whether it is of the engine that we serve; asked only where it lacks a name
   */
  void listed(List<ListedNetwork> networks, BooleanSupplier isOurs) {
    Set<String> names =
        networks.stream()
            .filter(network -> network.driver().equals(DRIVER))
            .flatMap(
                network -> Stream.ofNullable(network.options().get(NetworkOptions.DOCKER_BRIDGE)))
            .filter(name -> !LinkNames.isDockers(name) && VlanRules.canName(name))
            .collect(Collectors.toCollection(TreeSet::new));
    if (!names.containsAll(named) && !isOurs.getAsBoolean()) {
      names.addAll(named);
    }
    unexplained.removeAll(names);
    if (!names.equals(named)) {
      named = names;
      changed.run();
    }
    if (!names.equals(written())) {
      try {
        journal.commit(new Batch().put(table, KEY, new Named(names)));
      } catch (JournalException e) {
        LOG.debug("the bridges of Docker's networks are not written: {}", e.getMessage());
      }
    }
  }

  /**
   * Whether one may be in Docker's next list: dockerd lists a network some time after it has made
   * its bridge, on a busy host some seconds.
   */
  boolean isOneUnexplained() {
    return !unexplained.isEmpty();
  }

  /** Docker had time enough: they are their users' own. */
  void takeForOthers() {
    unexplained.clear();
  }

  private Set<String> written() {
    return table.get(KEY).map(Named::bridges).orElse(Set.of());
  }

  /** Those that stand; on the kernel thread. */
  Set<String> among(KernelState state) {
    Set<String> bridges =
        state.links().values().stream()
            .filter(link -> link.kind() instanceof KernelLink.Bridge && !Mark.isOurs(link))
            .map(KernelLink::name)
            .filter(name -> !LinkNames.isDockers(name))
            .collect(Collectors.toSet());
    unexplained.retainAll(bridges);
    if (!seen.containsAll(bridges)) {
      bridges.stream()
          .filter(name -> !seen.contains(name) && !named.contains(name))
          .forEach(unexplained::add);
      appeared.run();
    }
    seen = bridges;
    return Stream.concat(
            state.links().keySet().stream().filter(LinkNames::isDockers),
            bridges.stream().filter(named::contains).filter(name -> leadsNowhere(name, state)))
        .collect(Collectors.toSet());
  }

  /**
   * Whether containers alone are on it. One with another port is the user's way to his network, of
   * which dockerd has been told to make use.
   */
  private static boolean leadsNowhere(String bridge, KernelState state) {
    return state.links().values().stream()
        .filter(link -> link.master().equals(Optional.of(bridge)))
        .allMatch(link -> link.kind() instanceof KernelLink.Veth);
  }
}
