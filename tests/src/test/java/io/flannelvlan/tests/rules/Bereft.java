package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/**
 * A site whose hosts' plugins were killed, and where containers and a network are removed without
 * them. That takes two minutes of waiting: dockerd tries each call for a while before it goes on.
 */
final class Bereft implements AutoCloseable {
  private static final String VLAN001 = OURS + "--subnet 10.1.0.0/16 --opt vni=1 vlan001";
  private static final String VLAN002 = OURS + "--subnet 10.2.0.0/16 --opt vni=2 vlan002";
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Site site = new Site();
  private final CompletableFuture<Void> hosts;

  /** All goes on in the background from now on, each host by itself. */
  Bereft() {
    hosts = together(() -> suffer(Engine.DOCKER_28), () -> suffer(Engine.DOCKER_20_10));
  }

  private void suffer(Engine engine) {
    Host host = site.join(engine);
    host.setting("RECLAIM_AFTER", "2s").plugin().restart();
    site.create(host, VLAN001);
    site.create(host, VLAN002);
    host.run("kept", "vlan001");
    host.run("gone", "vlan001", "--publish", "8080:80");
    host.run("last", "vlan002");
    host.plugin().kill();
    together(
            () -> host.docker("rm", "--force", "gone"),
            () -> {
              host.docker("rm", "--force", "last");
              host.docker("network", "rm", "vlan002");
            })
        .join();
    findsOut(host);
  }

  /** Docker has none of it any more, and the plugin comes back. */
  private void findsOut(Host host) {
    host.plugin().start();
    Await.until(
        PATIENCE,
        () -> host.name() + " holds " + site.addresses(host) + host.plugin().log(),
        () ->
            site.addresses(host).equals(site.addressesOf(host, "kept"))
                && site.leases(host, "vlan002").isEmpty());
    assertThat(site.kernelRemains(host)).noneMatch(line -> line.contains("flannel.2"));
    host.run("again", "vlan001", "--publish", "8080:80");
    assertThat(site.lab().outside().whoAnswers(host.address() + ":8080")).contains("again");
    assertThat(host.container("kept").reaches(host.container("again").address())).isTrue();
  }

  void requireReclaimed() {
    hosts.join();
    site.requireInvariantsAndClear();
  }

  private static CompletableFuture<Void> together(Runnable... works) {
    return CompletableFuture.allOf(
        Stream.of(works)
            .map(work -> CompletableFuture.runAsync(work, Thread::startVirtualThread))
            .toArray(CompletableFuture[]::new));
  }

  @Override
  public void close() {
    site.close();
  }
}
