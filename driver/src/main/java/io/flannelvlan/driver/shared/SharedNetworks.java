package io.flannelvlan.driver.shared;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.etcd.Guard;
import io.flannelvlan.etcd.KeyValue;
import io.flannelvlan.etcd.PrefixWatch;
import io.flannelvlan.etcd.Snapshot;
import io.flannelvlan.etcd.Txn;
import io.flannelvlan.etcd.WatchListener;
import io.flannelvlan.flannel.FlannelKeys;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/** The VLANs' Docker networks in etcd: {@code /flannelvlan/networks/<vlan>}. */
public final class SharedNetworks {

  private final Etcd etcd;
  private final SharedNetworkJson json = new SharedNetworkJson();

  public SharedNetworks(Etcd etcd) {
    this.etcd = etcd;
  }

  /**
   * What etcd says of a VLAN's network.
   *
   * @throws EtcdException if etcd does not answer
   */
  public Optional<SharedNetwork> get(String vlan) {
    return etcd.get(FlannelKeys.network(vlan)).map(kv -> json.read(kv.value()));
  }

  /**
   * Writes what is to stand there, unless it changes meanwhile.
   *
   * @param next makes it of what stands there; empty for nothing, and then nothing is written
   * @return whether it was written
   * @throws EtcdException if etcd does not answer
   */
  public boolean change(String vlan, UnaryOperator<Optional<SharedNetwork>> next) {
    String key = FlannelKeys.network(vlan);
    Optional<KeyValue> present = etcd.get(key);
    Optional<SharedNetwork> wanted = next.apply(present.map(kv -> json.read(kv.value())));
    if (wanted.isEmpty()) {
      return false;
    }
    Guard guard = Guard.asRead(key, present);
    return etcd.txn(Txn.when(guard).put(key, json.write(wanted.get()))).succeeded();
  }

  /** Follows all of them, by the VLANs' names. */
  public PrefixWatch watch(WatchListener<Map<String, SharedNetwork>> listener) {
    return etcd.watch(
        FlannelKeys.NETWORKS,
        new WatchListener<Snapshot>() {
          @Override
          public void current(Snapshot snapshot) {
            listener.current(read(snapshot));
          }

          @Override
          public void notCurrent(EtcdException reason) {
            listener.notCurrent(reason);
          }
        });
  }

  private Map<String, SharedNetwork> read(Snapshot snapshot) {
    Map<String, SharedNetwork> all = new TreeMap<>();
    snapshot
        .entries()
        .forEach((key, kv) ->
            all.put(key.substring(FlannelKeys.NETWORKS.length()), json.read(kv.value())));
    return all;
  }
}
