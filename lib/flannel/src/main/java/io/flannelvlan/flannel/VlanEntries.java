package io.flannelvlan.flannel;

import io.flannelvlan.etcd.KeyValue;
import io.flannelvlan.etcd.Snapshot;

/**
 * All that etcd has of one VLAN, at one revision.
 *
 * @param created the revision that created the config's key, 0 if there is none: another one means
 *     that the VLAN was wiped, even if that was never seen
 */
public record VlanEntries(ConfigEntry config, long created, Leases leases) {

  static final VlanEntries NONE = new VlanEntries(new ConfigEntry.Absent(), 0, Leases.NONE);

  /**
   * Reads a VLAN.
   *
   * @param snapshot of everything below the VLAN's own prefix
   * @param before whose leases stand in for those that can't be read any more
   */
  static VlanEntries read(FlannelKeys keys, String vlan, Snapshot snapshot, VlanEntries before) {
    KeyValue config = snapshot.entries().get(keys.config(vlan));
    return new VlanEntries(
        config == null ? new ConfigEntry.Absent() : entry(config),
        config == null ? 0 : config.createRevision(),
        Leases.read(snapshot.within(keys.subnets(vlan)), before.leases));
  }

  private static ConfigEntry entry(KeyValue config) {
    try {
      return new ConfigEntry.Usable(FlannelJson.readConfig(config.key(), config.value()));
    } catch (FlannelFormatException e) {
      return new ConfigEntry.Unusable(String.valueOf(e.getMessage()));
    }
  }
}
