package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LogsOnFailure;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What Docker no longer has is given up by itself, and nothing that it has. */
@ExtendWith(LogsOnFailure.class)
final class LeakIT {
  private static final String VLAN001 = OURS + "--subnet 10.1.0.0/16 --opt vni=1 vlan001";
  private static final String VLAN002 = OURS + "--subnet 10.2.0.0/16 --opt vni=2 vlan002";
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int STORM = 20;

  private static final Pattern VETH = Pattern.compile("^\\d+: (fv[0-9a-f]{12})\\b");

  /** One line per look at Docker. */
  private static final Pattern LOOK = Pattern.compile("Docker does not know \\d+ of \\d+ things");

  private static Site site;
  private static Host newer;
  private static Host older;

  /** Its containers outlive dockerd. */
  private static Host live;

  @BeforeAll
  static void boot() {
    site = new Site(Engine.DOCKER_28, Engine.DOCKER_20_10);
    newer = site.host(1);
    older = site.host(2);
    live = site.join(Engine.DOCKER_28, "--live-restore");
    for (Host host : List.of(newer, older, live)) {
      host.setting("RECLAIM_AFTER", "2s").plugin().restart();
    }
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @AfterEach
  void clear() {
    site.clear();
  }

  @Test
  void addressesWhoseAnswerNobodyTookAreReclaimedAndThoseSetAsideAreNot() {
    onBoth(host -> {
      String third = host == newer ? "20" : "30";
      String spare = "10.1." + third + ".9";
      site.create(
          host,
          VLAN001.replace(
              " vlan001",
              " --ip-range 10.1." + third + ".0/24 --aux-address p=" + spare + " vlan001"));
      Container kept = host.run("kept", "vlan001");
      for (int i = 0; i < 5; i++) {
        requestAddress(host);
      }
      assertThat(site.addresses(host)).hasSize(7);
      Await.until(
          PATIENCE,
          () -> host.name() + " holds " + site.addresses(host),
          () -> site.addresses(host).equals(Stream.of(spare, kept.address()).sorted().toList()));
      looks(host, 3);
      assertThat(site.addresses(host)).hasSize(2);
      assertThat(kept.reaches(Site.at(site.lease(host, "vlan001"), 1))).isTrue();
    });
  }

  @Test
  void endpointsThatDockerNeverNotedAreReclaimedInEachStateOfTheirLife() {
    onBoth(host -> {
      site.create(host, VLAN001);
      Container kept = host.run("kept", "vlan001");
      String network = host.docker("network", "inspect", "--format", "{{.Id}}", "vlan001").text();
      for (int i = 0; i < 3; i++) {
        String endpoint = Integer.toString(i).repeat(64);
        createEndpoint(host, network, endpoint, requestAddress(host));
        if (i > 0) {
          join(host, network, endpoint);
        }
        if (i > 1) {
          leave(host, network, endpoint);
        }
      }
      agree(host, "kept");
      assertThat(host.run("late", "vlan001").reaches(kept.address())).isTrue();
    });
  }

  @Test
  void whatWasDeletedWhileThePluginWasDownIsReclaimedWhenItIsBack() {
    onBoth(host -> {
      site.create(host, VLAN001);
      site.create(host, VLAN002);
      host.run("kept", "vlan001");
      host.run("gone", "vlan001", "--publish", "8080:80");
      host.run("last", "vlan002");
      host.plugin().kill();
      // dockerd tries each call for a while before it goes on without us.
      host.docker("rm", "--force", "gone", "last");
      host.docker("network", "rm", "vlan002");
      host.plugin().start();
      agree(host, "kept");
      Await.until(
          PATIENCE,
          () -> host.name() + " still has a lease of vlan002",
          () -> site.leases(host, "vlan002").isEmpty());
      assertThat(site.kernelRemains(host)).noneMatch(line -> line.contains("flannel.2"));
      host.run("again", "vlan001", "--publish", "8080:80");
      assertThat(site.lab().outside().whoAnswers(host.address() + ":8080")).contains("again");
    });
  }

  @Test
  void aStormOfRemovalsWithThePluginKilledInItsMiddleLeaksNothing() {
    onBoth(host -> {
      site.create(host, VLAN001);
      host.run("kept", "vlan001");
      IntStream.range(0, STORM).forEach(i -> host.run("c" + i, "vlan001"));
      CompletableFuture<?>[] removals =
          IntStream.range(0, STORM)
              .mapToObj(i ->
                  CompletableFuture.runAsync(
                      () -> host.tryDocker("rm", "--force", "c" + i), Thread::startVirtualThread))
              .toArray(CompletableFuture[]::new);
      Await.until(
          PATIENCE, () -> "no removal", () -> site.addresses(host).size() < STORM - STORM / 4);
      host.plugin().kill();
      host.plugin().start();
      CompletableFuture.allOf(removals).join();
      agree(host, "kept");
    });
  }

  @Test
  void liveAndPausedContainersStayWhileDockerdIsAwayForLongerThanTheGraceTime() {
    site.create(live, VLAN001);
    site.create(newer, VLAN001);
    Container a = live.run("ca", "vlan001");
    Container b = live.run("cb", "vlan001");
    Container c = newer.run("cc", "vlan001");
    live.docker("pause", "cb");
    Traffic traffic = new Traffic(site.lab()).between(a, c);
    for (Consumer<Host> end :
        List.<Consumer<Host>>of(h -> h.dockerd().stop(), h -> h.dockerd().kill())) {
      int before = count(live, "stays for now");
      end.accept(live);
      Await.until(
          PATIENCE,
          () -> "the plugin does not miss dockerd",
          () -> count(live, "stays for now") > before);
      live.dockerd().start();
      looks(live, 3);
      agree(live, "ca", "cb");
    }
    live.docker("unpause", "cb");
    assertThat(b.reaches(c.address())).isTrue();
    traffic.requireUninterrupted();
  }

  @Test
  void containersStayWhileDockerdIsFrozen() {
    onBoth(host -> {
      site.create(host, VLAN001);
      Container a = host.run("ca", "vlan001");
      int before = count(host, "stays for now");
      host.dockerd().freeze();
      Await.until(
          Duration.ofSeconds(60),
          () -> "the plugin does not miss dockerd",
          () -> count(host, "stays for now") > before);
      host.dockerd().thaw();
      looks(host, 3);
      agree(host, "ca");
      assertThat(a.reaches(Site.at(site.lease(host, "vlan001"), 1))).isTrue();
    });
  }

  @Test
  void anotherEngineAtDockersSocketEndsNothing() {
    site.create(newer, VLAN001);
    Container a = newer.run("ca", "vlan001");
    looks(newer, 2);
    try (OtherEngine _ = new OtherEngine(site.lab().dir().resolve("other.sock"))) {
      newer
          .setting("DOCKER_HOST", "unix://" + site.lab().dir().resolve("other.sock"))
          .plugin()
          .restart();
      Await.until(
          PATIENCE,
          () -> "nothing is said about the other engine",
          () -> newer.plugin().log().contains("is DOCKER_HOST the Docker that uses this plugin?"));
      agree(newer, "ca");
    } finally {
      newer.setting("DOCKER_HOST", "unix:///run/docker.sock").plugin().restart();
    }
    assertThat(a.reaches(Site.at(site.lease(newer, "vlan001"), 1))).isTrue();
  }

  /** The engines are strangers to each other, and mostly wait. */
  private static void onBoth(Consumer<Host> work) {
    Stream.of(newer, older)
        .map(
            host -> CompletableFuture.runAsync(() -> work.accept(host), Thread::startVirtualThread))
        .toList()
        .forEach(CompletableFuture::join);
  }

  /** Etcd and the kernel have what these containers have, and no more. */
  private static void agree(Host host, String... containers) {
    Await.until(
        PATIENCE,
        () -> host.name() + " holds " + site.addresses(host) + " and " + veths(host),
        () ->
            site.addresses(host).equals(site.addressesOf(host, containers))
                && veths(host).size() == containers.length);
  }

  private static List<String> veths(Host host) {
    return host.in("ip", "-oneline", "link")
        .orThrow()
        .out()
        .lines()
        .filter(line -> VETH.matcher(line).find())
        .toList();
  }

  /** Waits until the plugin has looked at Docker so many times more. */
  private static void looks(Host host, int times) {
    long before = LOOK.matcher(host.plugin().log()).results().count();
    Await.until(
        PATIENCE,
        () -> host.name() + "'s plugin does not look at Docker",
        () -> LOOK.matcher(host.plugin().log()).results().count() >= before + times);
  }

  private static int count(Host host, String words) {
    return host.plugin().log().split(Pattern.quote(words), -1).length - 1;
  }

  private static String requestAddress(Host host) {
    Wire.Reply reply =
        Wire.call(
            host,
            "IpamDriver.RequestAddress",
            "{\"PoolID\":\"flannelvlan/10.1.0.0/16\",\"Address\":\"\",\"Options\":{}}");
    assertThat(reply.ok()).as(reply.body()).isTrue();
    return reply.body().replaceAll(".*\"Address\":\"([^\"]*)\".*", "$1");
  }

  private static void createEndpoint(Host host, String network, String id, String address) {
    ok(
        host,
        "NetworkDriver.CreateEndpoint",
        ("{\"NetworkID\":\"%s\",\"EndpointID\":\"%s\",\"Options\":{},\"Interface\":"
                + "{\"Address\":\"%s\",\"AddressIPv6\":\"\",\"MacAddress\":\"\"}}")
            .formatted(network, id, address));
  }

  private static void join(Host host, String network, String id) {
    ok(
        host,
        "NetworkDriver.Join",
        "{\"NetworkID\":\"%s\",\"EndpointID\":\"%s\",\"SandboxKey\":\"/run/x\",\"Options\":{}}"
            .formatted(network, id));
  }

  private static void leave(Host host, String network, String id) {
    ok(
        host,
        "NetworkDriver.Leave",
        "{\"NetworkID\":\"%s\",\"EndpointID\":\"%s\"}".formatted(network, id));
  }

  private static void ok(Host host, String verb, String json) {
    Wire.Reply reply = Wire.call(host, verb, json);
    assertThat(reply.ok()).as(reply.body()).isTrue();
  }
}
