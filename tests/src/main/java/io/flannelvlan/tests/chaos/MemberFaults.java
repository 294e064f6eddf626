package io.flannelvlan.tests.chaos;

import io.flannelvlan.tests.chaos.Fault.Strike;
import io.flannelvlan.tests.lab.Daemon;
import io.flannelvlan.tests.lab.Etcd;
import io.flannelvlan.tests.lab.EtcdCluster;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** What happens to some members of an etcd; who leads is known only when it happens. */
final class MemberFaults {
  private final EtcdCluster cluster;

  MemberFaults(EtcdCluster cluster) {
    this.cluster = cluster;
  }

  List<Fault> all() {
    return List.of(
        fault("etcd member killed", 0, 1, Daemon::kill),
        fault("etcd member frozen", 0, 1, Daemon::freeze),
        fault("etcd leader killed", 1, 0, Daemon::kill),
        fault("etcd leader frozen", 1, 0, Daemon::freeze),
        fault("etcd majority killed", 1, 1, Daemon::kill));
  }

  private Fault fault(String name, int leaders, int others, Consumer<Daemon> harm) {
    return new Fault(
        name,
        Kind.ETCD,
        Effect.NONE,
        _ -> {
          List<Etcd> hit = new ArrayList<>();
          return Strike.of(
              "",
              () -> {
                hit.addAll(some(leaders, others));
                hit.forEach(member -> harm.accept(member.daemon()));
              },
              () -> cluster.revive(hit));
        });
  }

  private List<Etcd> some(int leaders, int others) {
    Etcd leader = cluster.leader();
    return Stream.concat(
            Stream.of(leader).limit(leaders),
            cluster.members().stream().filter(member -> member != leader).limit(others))
        .toList();
  }
}
