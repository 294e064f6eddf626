package io.flannelvlan.flannel.host;

import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.ConfigEntry;
import io.flannelvlan.flannel.FlannelFormatException;
import io.flannelvlan.flannel.FlannelJson;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanException;
import io.flannelvlan.flannel.VlanStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts back the config of a VLAN that hosts are in, and says loudly what else befalls it; never
 * overwrites one. Touched by the VLAN's keeper thread alone.
 */
final class VlanConfigKeeper {

  private static final Logger LOG = LoggerFactory.getLogger(VlanConfigKeeper.class);

  private final VlanStore store;
  private final Vlan vlan;
  private String trouble = "";

  VlanConfigKeeper(VlanStore store, Vlan vlan) {
    this.store = store;
    this.vlan = vlan;
  }

  /**
   * Compares, and puts back what is gone.
   *
   * @throws EtcdException if etcd does not answer
   */
  void keep(ConfigEntry entry) {
    switch (entry) {
      case ConfigEntry.Absent _ -> putBack();
      case ConfigEntry.Unusable unusable -> tell("can't be used any more: " + unusable.reason());
      case ConfigEntry.Usable usable ->
          tell(
              usable.config().equals(vlan.config())
                  ? ""
                  : "was changed to " + FlannelJson.write(usable.config()));
    }
  }

  /** Whether there is something to come back to. */
  boolean isTroubled() {
    return !trouble.isEmpty();
  }

  private void putBack() {
    try {
      if (store.putBack(vlan)) {
        LOG.warn("VLAN {}: its config was gone from etcd and is put back", vlan);
      }
      tell("");
    } catch (VlanException | FlannelFormatException e) {
      tell("is gone and can't be put back: " + e.getMessage());
    }
  }

  private void tell(String what) {
    if (!what.isEmpty() && !what.equals(trouble)) {
      LOG.error(
          "VLAN {}: its config in etcd {}. This host goes on with {}: set the key to that, or"
              + " remove the VLAN's networks from all hosts",
          vlan.name(),
          what,
          FlannelJson.write(vlan.config()));
    }
    trouble = what;
  }
}
