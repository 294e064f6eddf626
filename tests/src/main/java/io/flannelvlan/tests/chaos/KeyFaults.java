package io.flannelvlan.tests.chaos;

import io.flannelvlan.tests.chaos.Fault.Strike;
import io.flannelvlan.tests.lab.Etcd;
import io.flannelvlan.tests.lab.Host;
import java.util.List;

/** What happens to what stands in etcd. */
final class KeyFaults {
  private static final String NETWORKS = "/coreos.com/network/";
  private static final String ADDRESSES = "/flannelvlan/addresses/";
  private static final String SNAPSHOT = "chaos";

  private final Etcd etcd;
  private final List<Host> hosts;

  KeyFaults(Etcd etcd, List<Host> hosts) {
    this.etcd = etcd;
    this.hosts = hosts;
  }

  /** Peers follow a lease that goes, until its host has put it back. */
  List<Fault> all() {
    return List.of(
        new Fault("own leases deleted", Kind.KEYS, Effect.PACKETS, this::ownLeases),
        new Fault("address keys deleted", Kind.KEYS, Effect.NONE, this::addressKeys),
        new Fault("garbage as a lease", Kind.KEYS, Effect.NONE, this::garbage),
        new Fault("garbage as a host's lease", Kind.KEYS, Effect.PACKETS, this::garbageOverLease),
        fault("etcd saved", Effect.NONE, () -> etcd.save(SNAPSHOT)),
        fault("etcd restored", Effect.NONE, () -> etcd.restore(SNAPSHOT)),
        fault("all keys deleted", Effect.PACKETS, this::deleteAll),
        fault("etcd wiped", Effect.NONE, etcd::wipe));
  }

  private static Fault fault(String name, Effect effect, Runnable harm) {
    return new Fault(name, Kind.KEYS, effect, _ -> Strike.of("", harm));
  }

  private Strike ownLeases(Draw draw) {
    Host host = draw.of(hosts);
    return Strike.of("of " + host.name(), () -> leasesOf(host).forEach(etcd::delete));
  }

  private List<String> leasesOf(Host host) {
    return etcd.keys(NETWORKS).stream()
        .filter(key -> key.contains("/subnets/"))
        .filter(key -> etcd.get(key).orElse("").contains('"' + host.address() + '"'))
        .toList();
  }

  private Strike addressKeys(Draw draw) {
    int every = draw.between(1, 3);
    return Strike.of(
        "every " + every + ".",
        () -> {
          List<String> keys = etcd.keys(ADDRESSES);
          for (int i = 0; i < keys.size(); i += every) {
            etcd.delete(keys.get(i));
          }
        });
  }

  private Strike garbage(Draw draw) {
    String vlan = draw.of(Model.VLANS);
    String key = NETWORKS + vlan + "/subnets/10." + vlan.substring(6) + ".250.0-24";
    String value = draw.of(List.of("garbage", "{", "null", "[]", "{\"PublicIP\":7}", " "));
    return Strike.of(key + " = " + value, () -> etcd.put(key, value), () -> etcd.delete(key));
  }

  private Strike garbageOverLease(Draw draw) {
    Host host = draw.of(hosts);
    return Strike.of(
        "of " + host.name(),
        () -> leasesOf(host).stream().limit(1).forEach(key -> etcd.put(key, "?")));
  }

  private void deleteAll() {
    etcd.etcdctl("del", "--prefix", "/").orThrow();
  }
}
