package io.flannelvlan.flannel.host;

import io.flannelvlan.flannel.FlannelJson;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.SubnetKey;
import java.time.Instant;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * {@link Peers} as the journal keeps them: a restart while etcd is away or was wiped knows the way
 * to all hosts.
 *
 * @param standing flannel's value by the last element of its key, as in etcd
 */
record KnownPeers(
    long revision,
    long created,
    Map<String, String> standing,
    Map<String, String> missed,
    Instant doubted) {

  KnownPeers {
    standing = Map.copyOf(standing);
    missed = Map.copyOf(missed);
  }

  static KnownPeers of(Peers peers) {
    return new KnownPeers(
        peers.revision(),
        peers.created(),
        texts(peers.standing()),
        texts(peers.missed()),
        peers.doubted());
  }

  Peers peers() {
    return new Peers(revision, created, leases(standing), leases(missed), doubted);
  }

  private static Map<String, String> texts(SortedMap<SubnetKey, Lease> leases) {
    Map<String, String> texts = new TreeMap<>();
    leases.forEach(
        (key, lease) -> texts.put(key.toString(), FlannelJson.write(lease.attributes())));
    return texts;
  }

  private static SortedMap<SubnetKey, Lease> leases(Map<String, String> texts) {
    SortedMap<SubnetKey, Lease> leases = new TreeMap<>();
    texts.forEach((text, value) -> {
      SubnetKey key = SubnetKey.parse(text);
      leases.put(key, new Lease(key, FlannelJson.readLease(text, value)));
    });
    return leases;
  }
}
