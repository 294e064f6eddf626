package io.flannelvlan.tests.chaos;

import io.flannelvlan.tests.chaos.Fault.Strike;
import io.flannelvlan.tests.lab.Etcd;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What happens to etcd as a process; it comes back with all it had. */
final class EtcdFaults {
  private static final Pattern REVISION = Pattern.compile("\"revision\":(\\d+)");

  private final Etcd etcd;

  EtcdFaults(Etcd etcd) {
    this.etcd = etcd;
  }

  List<Fault> all() {
    return List.of(
        fault("etcd stopped", () -> Strike.of("", etcd.daemon()::stop, this::start)),
        fault("etcd killed", () -> Strike.of("", etcd.daemon()::kill, this::start)),
        fault("etcd frozen", () -> Strike.of("", etcd.daemon()::freeze, this::thaw)),
        fault("etcd flapping", () -> Strike.of("5 times", this::flap)),
        fault("etcd compacted", () -> Strike.of("", this::compact)));
  }

  private static Fault fault(String name, Supplier<Strike> strike) {
    return new Fault(name, Kind.ETCD, Effect.NONE, _ -> strike.get());
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
}
