package io.flannelvlan.tests.chaos;

import io.flannelvlan.tests.chaos.Fault.Strike;
import io.flannelvlan.tests.lab.EtcdCluster;
import io.flannelvlan.tests.lab.EtcdStore;
import io.flannelvlan.tests.lab.Faltering;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What happens to etcd as a process; it comes back with all it had. */
final class EtcdFaults {
  private static final Pattern REVISION = Pattern.compile("\"revision\":(\\d+)");

  private final EtcdStore etcd;

  EtcdFaults(EtcdStore etcd) {
    this.etcd = etcd;
  }

  List<Fault> all() {
    List<Fault> all = new ArrayList<>();
    all.add(fault("etcd stopped", () -> Strike.of("", etcd::stop, etcd::start)));
    all.add(fault("etcd killed", () -> Strike.of("", etcd::kill, etcd::start)));
    all.add(fault("etcd frozen", () -> Strike.of("", etcd::freeze, etcd::thaw)));
    all.add(fault("etcd slow", this::slow));
    all.add(fault("etcd flapping", () -> Strike.of("5 times", this::flap)));
    all.add(fault("etcd compacted", () -> Strike.of("", this::compact)));
    if (etcd instanceof EtcdCluster cluster) {
      all.addAll(new MemberFaults(cluster).all());
    }
    return all;
  }

  private static Fault fault(String name, Supplier<Strike> strike) {
    return new Fault(name, Kind.ETCD, Effect.NONE, _ -> strike.get());
  }

  private Strike slow() {
    List<Faltering> slow =
        etcd.members().stream().map(member -> new Faltering(member.daemon())).toList();
    return Strike.of("", () -> slow.forEach(Faltering::begin), () -> slow.forEach(Faltering::end));
  }

  private void flap() {
    for (int i = 0; i < 5; i++) {
      etcd.kill();
      etcd.start();
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
}
