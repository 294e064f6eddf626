package io.flannelvlan.driver;

import io.flannelvlan.driver.shared.SharedNetwork;
import io.flannelvlan.driver.shared.SharedNetworks;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.etcd.PrefixWatch;
import io.flannelvlan.etcd.WatchListener;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.VlanWatch;
import io.flannelvlan.flannel.Vlans;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** The VLANs in etcd and the words about their networks, as long as both are current. */
final class SharedView implements AutoCloseable {

  /** What etcd shows. */
  record Shown(Map<String, Vlan> vlans, Map<String, SharedNetwork> networks) {}

  private final VlanStore store;
  private final SharedNetworks shared;

  private volatile Optional<Vlans> vlans = Optional.empty();
  private volatile Optional<Map<String, SharedNetwork>> networks = Optional.empty();
  private Optional<VlanWatch> vlanWatch = Optional.empty();
  private Optional<PrefixWatch> networkWatch = Optional.empty();

  SharedView(VlanStore store, SharedNetworks shared) {
    this.store = store;
    this.shared = shared;
  }

  /**
   * Begins to follow.
   *
   * @param changed called from any thread, also when etcd falls silent; must not block
   */
  void start(Runnable changed) {
    vlanWatch = Optional.of(store.watchVlans(follower(now -> vlans = now, changed)));
    networkWatch = Optional.of(shared.watch(follower(now -> networks = now, changed)));
  }

  /** Empty while etcd is away: nothing follows from what it said before. */
  Optional<Shown> current() {
    return vlans.flatMap(all -> networks.map(words -> new Shown(all.byName(), words)));
  }

  private static <T> WatchListener<T> follower(Consumer<Optional<T>> set, Runnable changed) {
    return new WatchListener<>() {
      @Override
      public void current(T state) {
        set.accept(Optional.of(state));
        changed.run();
      }

      @Override
      public void notCurrent(EtcdException reason) {
        set.accept(Optional.empty());
        changed.run();
      }
    };
  }

  @Override
  public void close() {
    vlanWatch.ifPresent(VlanWatch::close);
    networkWatch.ifPresent(PrefixWatch::close);
  }
}
