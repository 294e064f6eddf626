package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Traffic;
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
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;

/** What Docker no longer has is given up by itself, and nothing that it has. */
@ExtendWith(LogsOnFailure.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class LeakIT {
  private static final String RANGE = "10.1.0.0/16";
  private static final String VLAN001 = OURS + "--subnet " + RANGE + " --opt vni=1 vlan001";
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

  /** Of a lab of its own, where removals go on all the while without the plugin. */
  private static Bereft bereft;

  @BeforeAll
  static void boot() {
    bereft = new Bereft();
    site = new Site(Engine.DOCKER_28, Engine.DOCKER_20_10);
    newer = site.host(1);
    older = site.host(2);
    live = site.join(Engine.DOCKER_28, "--live-restore");
    List.of(newer, older, live).parallelStream()
        .forEach(host -> host.setting("RECLAIM_AFTER", "2s").plugin().restart());
  }

  @AfterAll
  static void takeDown() {
    site.close();
    bereft.close();
  }

  @AfterEach
  void clear() {
    site.requireInvariantsAndClear();
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
        ok(host, "IpamDriver.RequestAddress", Bodies.requestAddress(RANGE));
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
        String answer = ok(host, "IpamDriver.RequestAddress", Bodies.requestAddress(RANGE));
        String address = Bodies.member(answer, "Address");
        ok(host, "NetworkDriver.CreateEndpoint", Bodies.createEndpoint(network, endpoint, address));
        if (i > 0) {
          ok(host, "NetworkDriver.Join", Bodies.join(network, endpoint));
        }
        if (i > 1) {
          ok(host, "NetworkDriver.Leave", Bodies.endpoint(network, endpoint));
        }
      }
      agree(host, "kept");
      assertThat(host.run("late", "vlan001").reaches(kept.address())).isTrue();
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
    try (StubEngine _ = StubEngine.another(site.lab().dir().resolve("other.sock"))) {
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

  /** The last, since dockerd tries each call for half a minute before it goes on without us. */
  @Test
  @Order(Integer.MAX_VALUE)
  void whatWasDeletedWhileThePluginWasDownIsReclaimedWhenItIsBack() {
    bereft.requireReclaimed();
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

  private static String ok(Host host, String verb, String json) {
    Wire.Reply reply = Wire.call(host, verb, json);
    assertThat(reply.ok()).as(reply.body()).isTrue();
    return reply.body();
  }
}
