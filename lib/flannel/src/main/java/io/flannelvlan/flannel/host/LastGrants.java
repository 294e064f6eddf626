package io.flannelvlan.flannel.host;

import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.Leases;
import io.flannelvlan.flannel.SubnetKey;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * With which grant etcd last had each lease of a VLAN, or this host wrote it since: by its own
 * leases, which nobody else writes, a host sees that etcd went back in time. For any thread.
 */
final class LastGrants {

  private final Map<SubnetKey, Long> grants = new ConcurrentHashMap<>();

  void shown(Leases leases) {
    grants.putAll(leases.grants());
  }

  void wrote(SubnetKey key, long grant) {
    grants.put(key, grant);
  }

  /** What became of this host's leases in a list. */
  OwnLeases judge(Optional<HostVlan> here, Leases list) {
    if (here.isEmpty()) {
      return OwnLeases.AS_LAST;
    }
    boolean missing = false;
    for (Lease lease : here.get().leases()) {
      if (isEarlier(lease.key(), list)) {
        return OwnLeases.EARLIER;
      }
      missing |= list.at(lease.subnet()).filter(here.get()::owns).isEmpty();
    }
    return missing ? OwnLeases.MISSING : OwnLeases.AS_LAST;
  }

  private boolean isEarlier(SubnetKey key, Leases list) {
    Long last = grants.get(key);
    Long now = list.grants().get(key);
    return last != null && now != null && !now.equals(last);
  }
}
