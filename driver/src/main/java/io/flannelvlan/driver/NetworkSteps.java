package io.flannelvlan.driver;

import io.flannelvlan.dockerengine.DockerEngine;
import io.flannelvlan.dockerengine.EngineException;
import io.flannelvlan.dockerengine.ListedNetwork;
import io.flannelvlan.dockerengine.NewNetwork;
import io.flannelvlan.driver.shared.Settled;
import io.flannelvlan.driver.shared.SharedNetwork;
import io.flannelvlan.driver.shared.SharedNetworks;
import io.flannelvlan.driver.shared.Step;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.Vlans;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.journal.JournalException;
import io.flannelvlan.journal.Table;
import io.flannelvlan.net.IpAddress;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out one step for a VLAN's network, by Docker's API, etcd or the journal.
 *
 * @param driverName as Docker calls us
 * @param host this host's public address
 * @param generations makes one that no other host makes
 */
record NetworkSteps(
    VlanStore store,
    SharedNetworks shared,
    Networks networks,
    Journal journal,
    Table<Settled> settled,
    DockerEngine engine,
    String driverName,
    Supplier<IpAddress> host,
    Supplier<String> generations,
    Clock clock) {

  private static final Logger LOG = LoggerFactory.getLogger(NetworkSteps.class);

  Map<String, Settled> settledByVlan() {
    return settled.values().stream().collect(Collectors.toMap(Settled::vlan, had -> had));
  }

  /**
   * Does it.
   *
   * @param listed the engine's networks
   * @return false if it is too early: dockerd or another host is about to do something
   * @throws EngineException if Docker refuses
   * @throws EtcdException if etcd does not answer
   * @throws JournalException if the disk refuses
   */
  boolean carryOut(Step step, Supplier<Map<String, ListedNetwork>> listed) {
    return switch (step) {
      case Step.Settle settle -> {
        journal.commit(new Batch().put(settled, settle.name(), settle.settled()));
        yield true;
      }
      case Step.Place place -> place(place, listed.get());
      case Step.Publish publish -> publish(publish, listed.get());
      case Step.Remove remove -> remove(remove, listed.get());
      case Step.Discard discard -> discard(discard.name());
    };
  }

  private boolean place(Step.Place place, Map<String, ListedNetwork> listed) {
    Vlan vlan = place.vlan();
    boolean unknown =
        listed.values().stream()
            .filter(network -> network.driver().equals(driverName))
            .filter(network -> network.subnets().contains(vlan.range().toString()))
            .anyMatch(network -> !networks.isWhole(network.id()));
    if (unknown) {
      // It is this very VLAN's: being made by somebody, or not had back yet.
      return false;
    }
    // The config may be seen before the word that went with it.
    if (!shared.get(vlan.name()).equals(place.word())) {
      return false;
    }
    engine.create(
        new NewNetwork(
            place.network(),
            driverName,
            vlan.range().toString(),
            place.internal(),
            place.options(),
            place.labels()));
    LOG.info("VLAN {}: its network {} is in this host's Docker now", vlan, place.network());
    return true;
  }

  private boolean publish(Step.Publish publish, Map<String, ListedNetwork> listed) {
    ListedNetwork network = listed.get(publish.id());
    if (network == null) {
      // dockerd shows it once its own part is done.
      return false;
    }
    Vlan vlan = publish.vlan();
    boolean written =
        shared.change(
            vlan.name(),
            present -> described(vlan, network, present).map(SharedNetwork.class::cast));
    if (written) {
      LOG.info("VLAN {}: its network {} is described to all hosts", vlan, network.name());
    }
    return written;
  }

  /** Empty if another host was first. */
  private Optional<SharedNetwork.Described> described(
      Vlan vlan, ListedNetwork network, Optional<SharedNetwork> present) {
    boolean taken =
        switch (present.orElse(null)) {
          case null -> false;
          case SharedNetwork.Announced _, SharedNetwork.Removed _ -> false;
          case SharedNetwork.Described d -> d.range().equals(vlan.range());
          case SharedNetwork.Unreadable _ -> true;
        };
    if (taken) {
      return Optional.empty();
    }
    // After etcd lost it, it is still the same one.
    Optional<String> generation =
        settled
            .get(vlan.name())
            .filter(had -> had.networks().contains(network.id()))
            .map(Settled::generation);
    return Optional.of(
        new SharedNetwork.Described(
            generation.orElseGet(generations),
            vlan.range(),
            network.name(),
            network.internal(),
            network.options(),
            network.labels(),
            NetworkOptions.parse(network.options()).everywhere(),
            host.get().toString(),
            clock.instant()));
  }

  private boolean remove(Step.Remove remove, Map<String, ListedNetwork> listed) {
    if (!listed.containsKey(remove.id())) {
      // Removed already; the plugin hears of it in a moment.
      return false;
    }
    engine.remove(remove.id());
    LOG.info(
        "VLAN {}: its network is removed from this host's Docker, as host {} had it removed"
            + " everywhere at {}",
        remove.name(),
        remove.why().by(),
        remove.why().since());
    return true;
  }

  private boolean discard(String name) {
    Vlans all = store.list();
    Optional<Vlan> vlan = all.find(name);
    if (vlan.isPresent() && !store.removeUnused(vlan.get())) {
      return false;
    }
    vlan.ifPresent(gone -> LOG.info("VLAN {} is removed from etcd", gone));
    return shared.change(
        name,
        present ->
            present
                .filter(SharedNetwork.Removed.class::isInstance)
                .map(SharedNetwork.Removed.class::cast)
                .filter(removed -> !removed.done())
                .map(SharedNetwork.Removed::finished));
  }
}
