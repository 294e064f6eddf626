package io.flannelvlan.flannel;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.etcd.PrefixWatch;
import io.flannelvlan.etcd.Snapshot;
import io.flannelvlan.etcd.WatchListener;

/** All VLANs, kept current; of one whose config turns unusable, the last usable one. */
public final class VlanWatch implements AutoCloseable {

  private final PrefixWatch watch;

  VlanWatch(Etcd etcd, FlannelKeys keys, WatchListener<Vlans> listener) {
    this.watch = etcd.watch(keys.all(), new Reader(keys, listener));
  }

  @Override
  public void close() {
    watch.close();
  }

  private static final class Reader implements WatchListener<Snapshot> {

    private final FlannelKeys keys;
    private final WatchListener<Vlans> listener;
    private Vlans last = Vlans.NONE;
    private boolean told;

    Reader(FlannelKeys keys, WatchListener<Vlans> listener) {
      this.keys = keys;
      this.listener = listener;
    }

    @Override
    public void current(Snapshot snapshot) {
      Vlans now = Vlans.read(keys, snapshot, last);
      boolean same = now.byName().equals(last.byName()) && now.broken().equals(last.broken());
      last = now;
      // The range holds all leases too, and most changes are theirs.
      if (!told || !same) {
        told = true;
        listener.current(now);
      }
    }

    @Override
    public void notCurrent(EtcdException reason) {
      told = false;
      listener.notCurrent(reason);
    }
  }
}
