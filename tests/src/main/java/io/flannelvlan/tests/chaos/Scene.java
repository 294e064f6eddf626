package io.flannelvlan.tests.chaos;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.EtcdStore;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Three hosts in three VLANs; one of them keeps its containers while dockerd is away. */
final class Scene implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** A journal is written anew when 4096 commits in it count no more, into a second file. */
  private static final String STATE_DISK = "16m";

  private final Lab lab = Lab.start();
  private final EtcdStore etcd;
  private final List<Host> hosts;

  /** Their etcd has one or three members. */
  Scene(int members) {
    etcd = members == 1 ? lab.etcd() : lab.etcdCluster();
    lab.stateDisks(STATE_DISK);
    List<Host> all = new ArrayList<>(lab.hosts(Engine.DOCKER_28, Engine.DOCKER_20_10));
    all.add(lab.host(Engine.DOCKER_28, "--live-restore"));
    hosts = List.copyOf(all);
  }

  Lab lab() {
    return lab;
  }

  EtcdStore etcd() {
    return etcd;
  }

  List<Host> hosts() {
    return hosts;
  }

  /** The container of vlan001 that each host has from the beginning to the end. */
  static String anchor(int host) {
    return "anchor" + (host + 1);
  }

  void furnish(Model model) {
    for (Host host : hosts) {
      host.setting("RECLAIM_AFTER", "2s").setting("ETCD_ENDPOINTS", etcd.endpoints());
      host.plugin().start();
    }
    for (int host = 0; host < Model.HOSTS; host++) {
      for (String vlan : Model.VLANS) {
        play(Work.create(host, vlan), false);
        model.create(host, vlan);
      }
      play(Work.run(host, anchor(host), "vlan001", "--restart always"), false);
    }
  }

  void play(Work work, boolean mayFail) {
    work.play(hosts.get(work.host()), mayFail);
  }

  /** Begins all of it at the same time. */
  List<CompletableFuture<Void>> begin(Collection<Work> work, boolean mayFail) {
    return work.stream()
        .map(
            one -> CompletableFuture.runAsync(() -> play(one, mayFail), Thread::startVirtualThread))
        .toList();
  }

  /** Removes a container whatever became of the command that made it, or should remove it. */
  void removeForSure(int number, String name) {
    Host host = hosts.get(number);
    Await.until(
        PATIENCE,
        () -> host.name() + " can't remove " + name + ": " + host.tryDocker("rm", "-f", name),
        () -> {
          host.tryDocker("rm", "--force", "--volumes", name);
          String[] left = {"ps", "--all", "--quiet", "--filter", "name=^/?" + name + "$"};
          return host.docker(left).text().isEmpty();
        });
  }

  @Override
  public void close() {
    lab.close();
  }
}
