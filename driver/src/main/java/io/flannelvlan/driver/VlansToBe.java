package io.flannelvlan.driver;

import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.FlannelFormatException;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanException;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.journal.Table;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * VLANs that this host makes and has not joined yet. Until it has, nobody asked for them: what etcd
 * has of one whose making failed is taken back, also what it did after all when it had not
 * answered, and after a restart. The other hosts would make a network of it.
 *
 * <p>For one thread at a time.
 */
final class VlansToBe {

  private static final Logger LOG = LoggerFactory.getLogger(VlansToBe.class);

  private final VlanStore store;
  private final HostVlans vlans;
  private final Journal journal;
  private final Table<Vlan> table;

  VlansToBe(VlanStore store, HostVlans vlans, Journal journal) {
    this.store = store;
    this.vlans = vlans;
    this.journal = journal;
    this.table = journal.table("making", Vlan.class);
  }

  /**
   * Makes it in etcd.
   *
   * @throws VlanException naming what is in its way
   * @throws EtcdException if etcd does not answer; it may make it all the same
   */
  void make(Vlan vlan) {
    journal.commit(new Batch().put(table, vlan.name(), vlan));
    try {
      store.create(vlan.name(), vlan.config());
    } catch (VlanException | FlannelFormatException e) {
      // What stands there is not of this host's making.
      forget(vlan);
      throw e;
    }
  }

  /** Adds to the batch that this host joins it. */
  void joined(Batch batch, String name) {
    table.get(name).ifPresent(_ -> batch.remove(table, name));
  }

  /** Takes back what is there of it, now or with {@link #takeBackAll}. */
  void takeBack(Vlan vlan) {
    if (isTakenBack(vlan)) {
      forget(vlan);
    } else {
      journal.commit(new Batch().put(table, vlan.name(), vlan).givingBack());
    }
  }

  /** Takes back all that are not joined. */
  void takeBackAll() {
    for (Vlan vlan : List.copyOf(table.values())) {
      if (vlans.byName(vlan.name()).isPresent() || isTakenBack(vlan)) {
        forget(vlan);
      }
    }
  }

  /** A lease that was taken for it goes first: a VLAN with a lease in it stays. */
  private boolean isTakenBack(Vlan vlan) {
    try {
      boolean isFree = vlans.giveBack(vlan.name());
      if (isFree) {
        store.discard(vlan);
      }
      return isFree;
    } catch (VlanException | EtcdException e) {
      LOG.debug("VLAN {} stays in etcd until it is back: {}", vlan.name(), e.getMessage());
      return false;
    }
  }

  private void forget(Vlan vlan) {
    if (table.get(vlan.name()).isPresent()) {
      journal.commit(new Batch().remove(table, vlan.name()).givingBack());
    }
  }
}
