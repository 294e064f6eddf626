package io.flannelvlan.tests.chaos;

import io.flannelvlan.tests.chaos.Fault.Strike;
import io.flannelvlan.tests.lab.Etcd;
import io.flannelvlan.tests.lab.Host;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What happens to etcd, and to what stands in it. */
final class EtcdFaults {
  private static final String NETWORKS = "/coreos.com/network/";
  private static final String ADDRESSES = "/flannelvlan/addresses/";
  private static final String SNAPSHOT = "chaos";
  private static final Pattern REVISION = Pattern.compile("\"revision\":(\\d+)");

  private final Etcd etcd;
  private final List<Host> hosts;

  EtcdFaults(Etcd etcd, List<Host> hosts) {
    this.etcd = etcd;
    this.hosts = hosts;
  }

  List<Fault> all() {
    return List.of(
        fault("etcd stopped", () -> Strike.of("", etcd.daemon()::stop, this::start)),
        fault("etcd killed", () -> Strike.of("", etcd.daemon()::kill, this::start)),
        fault("etcd frozen", () -> Strike.of("", etcd.daemon()::freeze, this::thaw)),
        fault("etcd flapping", () -> Strike.of("5 times", this::flap)),
        fault("etcd compacted", () -> Strike.of("", this::compact)),
        new Fault("own leases deleted", Kind.ETCD, true, this::ownLeases),
        new Fault("address keys deleted", Kind.ETCD, true, this::addressKeys),
        new Fault("garbage as a lease", Kind.ETCD, true, this::garbage),
        new Fault("garbage as a host's lease", Kind.ETCD, true, this::garbageOverLease),
        fault("etcd saved", () -> Strike.of("", () -> etcd.save(SNAPSHOT))),
        fault("etcd restored", () -> Strike.of("to what was saved", this::restore)),
        fault("etcd's keys deleted", () -> Strike.of("all", this::deleteAll)),
        fault("etcd wiped", () -> Strike.of("", etcd::wipe)));
  }

  private static Fault fault(String name, Supplier<Strike> strike) {
    return new Fault(name, Kind.ETCD, true, _ -> strike.get());
  }

  private void start() {
    etcd.daemon().start();
  }

  private void thaw() {
    etcd.daemon().thaw();
  }

  private void flap() {
    for (int i = 0; i < 5; i++) {
      etcd.daemon().kill();
      etcd.daemon().start();
    }
  }

  private void compact() {
    String status = etcd.etcdctl("endpoint", "status", "--write-out", "json").orThrow().out();
    Matcher revision = REVISION.matcher(status);
    if (!revision.find()) {
      throw new IllegalStateException("no revision in " + status);
    }
    etcd.etcdctl("compact", revision.group(1)); // may be compacted already: nothing has changed
    etcd.etcdctl("defrag").orThrow();
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

  private void restore() {
    etcd.restore(SNAPSHOT);
  }

  private void deleteAll() {
    etcd.etcdctl("del", "--prefix", "/").orThrow();
  }
}
