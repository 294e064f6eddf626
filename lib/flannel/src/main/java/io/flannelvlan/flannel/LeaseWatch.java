package io.flannelvlan.flannel;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.etcd.PrefixWatch;
import io.flannelvlan.etcd.Snapshot;
import io.flannelvlan.etcd.WatchListener;

/** All leases of one VLAN, kept current; of one that turns unreadable, the last readable one. */
public final class LeaseWatch implements AutoCloseable {

  private final PrefixWatch watch;

  LeaseWatch(Etcd etcd, String range, WatchListener<Leases> listener) {
    this.watch = etcd.watch(range, new Reader(listener));
  }

  public boolean isCurrent() {
    return watch.isCurrent();
  }

  @Override
  public void close() {
    watch.close();
  }

  private static final class Reader implements WatchListener<Snapshot> {

    private final WatchListener<Leases> listener;
    private Leases last = Leases.NONE;

    Reader(WatchListener<Leases> listener) {
      this.listener = listener;
    }

    @Override
    public void current(Snapshot snapshot) {
      last = Leases.read(snapshot, last);
      listener.current(last);
    }

    @Override
    public void notCurrent(EtcdException reason) {
      listener.notCurrent(reason);
    }
  }
}
