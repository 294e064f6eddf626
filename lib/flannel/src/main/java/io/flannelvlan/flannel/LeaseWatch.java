package io.flannelvlan.flannel;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.etcd.PrefixWatch;
import io.flannelvlan.etcd.Snapshot;
import io.flannelvlan.etcd.WatchListener;

/**
 * A VLAN's config and all its leases, kept current; of a lease that turns unreadable, the last
 * readable one. One range for both, so that a lease's absence is seen together with its VLAN's.
 */
public final class LeaseWatch implements AutoCloseable {

  private final PrefixWatch watch;

  LeaseWatch(Etcd etcd, FlannelKeys keys, String vlan, WatchListener<VlanEntries> listener) {
    this.watch = etcd.watch(keys.below(vlan), new Reader(keys, vlan, listener));
  }

  public boolean isCurrent() {
    return watch.isCurrent();
  }

  @Override
  public void close() {
    watch.close();
  }

  private static final class Reader implements WatchListener<Snapshot> {

    private final FlannelKeys keys;
    private final String vlan;
    private final WatchListener<VlanEntries> listener;
    private VlanEntries last = VlanEntries.NONE;

    Reader(FlannelKeys keys, String vlan, WatchListener<VlanEntries> listener) {
      this.keys = keys;
      this.vlan = vlan;
      this.listener = listener;
    }

    @Override
    public void current(Snapshot snapshot) {
      last = VlanEntries.read(keys, vlan, snapshot, last);
      listener.current(last);
    }

    @Override
    public void notCurrent(EtcdException reason) {
      listener.notCurrent(reason);
    }
  }
}
