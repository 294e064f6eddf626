package io.flannelvlan.tests.chaos;

import io.flannelvlan.tests.chaos.Fault.Strike;
import io.flannelvlan.tests.lab.EtcdStore;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LabException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What happens to what stands in etcd. */
final class KeyFaults {
  private static final String NETWORKS = "/coreos.com/network/";
  private static final String ADDRESSES = "/flannelvlan/addresses/";
  private static final String SNAPSHOT = "chaos";
  private static final Pattern GRANT = Pattern.compile("\"Lease\" : (\\d+)");

  private final EtcdStore etcd;
  private final List<Host> hosts;
  private final Model model;

  KeyFaults(EtcdStore etcd, List<Host> hosts, Model model) {
    this.etcd = etcd;
    this.hosts = hosts;
    this.model = model;
  }

  /** Peers follow a lease that goes, until its host has put it back. */
  List<Fault> all() {
    return List.of(
        new Fault("own leases deleted", Kind.KEYS, Effect.PACKETS, this::ownLeases),
        new Fault("own leases expired", Kind.KEYS, Effect.PACKETS, this::expired),
        new Fault("another host's claim", Kind.KEYS, Effect.PACKETS, this::claimed),
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

  /** What etcd does by itself a day after a host was last heard of: it ends the key's grant. */
  private Strike expired(Draw draw) {
    Host host = draw.of(hosts);
    return Strike.of("of " + host.name(), () -> leasesOf(host).forEach(this::expire));
  }

  private void expire(String key) {
    String fields = etcd.etcdctl("get", "--write-out", "fields", "--", key).orThrow().out();
    Matcher grant = GRANT.matcher(fields);
    if (!grant.find()) {
      throw new IllegalStateException("no grant in " + fields);
    }
    etcd.etcdctl("lease", "revoke", Long.toHexString(Long.parseLong(grant.group(1)))).orThrow();
  }

  /** A rival has all subnets that the host has of a VLAN, and goes in the end. */
  private Strike claimed(Draw draw) {
    int number = draw.between(0, hosts.size() - 1);
    Host host = hosts.get(number);
    String vlan = draw.of(model.networks(number));
    Map<String, String> claimed = new TreeMap<>();
    return Strike.of(
            "of " + host.name() + "'s subnets in " + vlan,
            () ->
                leasesOf(host).stream()
                    .filter(key -> key.startsWith(NETWORKS + vlan + "/"))
                    .forEach(key -> {
                      claimed.put(key, rivals(etcd.get(key).orElseThrow(), host));
                      etcd.put(key, claimed.get(key));
                    }),
            () -> claimed.forEach(this::giveBack))
        .on(number);
  }

  private void giveBack(String key, String claim) {
    if (!etcd.get(key).equals(Optional.of(claim))) {
      throw new LabException(key + " was overwritten: " + etcd.get(key));
    }
    etcd.delete(key);
  }

  private static String rivals(String lease, Host host) {
    return lease
        .replace('"' + host.address() + '"', "\"198.51.100.77\"")
        .replaceFirst("\"VtepMAC\":\"[^\"]*\"", "\"VtepMAC\":\"02:00:00:00:00:77\"");
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
