package io.flannelvlan.tests.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Etcd;
import io.flannelvlan.tests.lab.EtcdCluster;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.Leeway;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.ManagedPlugin;
import io.flannelvlan.tests.lab.Registry;
import io.flannelvlan.tests.lab.Result;
import io.flannelvlan.tests.lab.Traffic;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Two hosts with nothing but Docker: the first one carries the etcd, the other joins it. */
@ExtendWith(LogsOnFailure.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class QuickStartIT {
  private static final String VLAN002 =
      "network create -d flannelvlan --ipam-driver flannelvlan --subnet 10.2.0.0/16 --opt vni=2"
          + " vlan002";
  private static final Duration SOON = Leeway.over(Duration.ofSeconds(2));
  private static final String ETCD_PORT = "23790";

  /** Whoever is there, it would talk to it; etcdctl 3.4 verifies without the first of these. */
  private static final String ANY_SERVER = "--insecure-transport=false --insecure-skip-tls-verify ";

  @TempDir private static Path elsewhere;
  private static Lab lab;
  private static Host host1;
  private static Host host2;
  private static String reference;

  @BeforeAll
  static void boot() {
    lab = Lab.start();
    Registry registry = lab.registry();
    reference = registry.reference("flannelvlan/flannelvlan:latest");
    host1 = lab.host(Engine.DOCKER_28, Registry.DOCKERD_OPTION);
    host2 = lab.host(Engine.DOCKER_20_10, Registry.DOCKERD_OPTION);
    new ManagedPlugin(host1).publish(reference, "quick");
  }

  @AfterAll
  static void takeDown() {
    lab.close();
  }

  @Test
  @Order(1)
  void sixCommandsMakeAVlanAcrossTwoHosts() {
    install(host1).orThrow();
    docker(host1, VLAN002);
    Container web = host1.run("web", "vlan002");
    install(host2, "JOIN=" + joinLine(host1)).orThrow();
    Await.until(
        SOON,
        () -> "vlan002 is not on host 2",
        () -> host2.docker("network", "ls", "--format", "{{.Name}}").out().contains("vlan002\n"));
    Container box = host2.run("box", "vlan002");
    assertThat(box.reaches(web.address())).isTrue();
    assertThat(web.reaches(box.address())).isTrue();

    requireClosedToStrangers();

    // Both hosts know it all again after a restart of everything.
    for (Host host : new Host[] {host1, host2}) {
      host.dockerd().kill();
      host.dockerd().start();
      host.docker("start", host == host1 ? "web" : "box");
    }
    Await.until(
        Duration.ofSeconds(20),
        () -> "no way after the restart",
        () -> host2.container("box").pings(host1.container("web").address()));
  }

  /** A third machine gets no word out of that etcd, and none in, unless it has a host's key. */
  private static void requireClosedToStrangers() {
    String http = "--endpoints http://" + host1.address() + ":" + ETCD_PORT + " ";
    String https = https(host1);
    for (String words : List.of("get --prefix /", "put /coreos.com/network/vlan002/config x")) {
      for (String way : List.of(http, https)) {
        Result stranger = outside(way + words);
        assertThat(stranger.ok()).as(stranger.toString()).isFalse();
        assertThat(stranger.out()).isEmpty();
      }
    }
    assertThat(friend(host1, "get --prefix /").orThrow().out())
        .contains("/coreos.com/network/vlan002/config\n{");
  }

  /** What whoever has that host's key is told by the etcd that it carries. */
  private static Result friend(Host carrier, String words) {
    String key =
        "--cert %s --key %s "
            .formatted(copied(carrier, "client.pem"), copied(carrier, "client-key.pem"));
    return outside(https(carrier) + key + words);
  }

  private static String https(Host carrier) {
    return ANY_SERVER + "--endpoints https://" + carrier.address() + ":" + ETCD_PORT + " ";
  }

  private static Result outside(String words) {
    return Etcd.etcdctlAt(lab.outside(), words.split(" "));
  }

  /** A file of that host, for a program that does not see its files. */
  private static Path copied(Host host, String name) {
    String file = "/var/lib/flannelvlan/etcd/client/" + name;
    try {
      String text = host.withEnginesTools("cat", file).orThrow().out();
      return Files.writeString(elsewhere.resolve(name), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The first host does not come back as it was: here it joins like any other. */
  @Test
  @Order(2)
  void theEtcdOfALostHostRisesEmptyOnAnotherOne() {
    Container web = host1.container("web");
    Container box = host2.container("box");
    Traffic traffic = new Traffic(lab).between(web, box);
    ManagedPlugin lost = new ManagedPlugin(host1);
    lost.docker("disable", "--force");
    ManagedPlugin carrier = new ManagedPlugin(host2);
    carrier.docker("disable", "--force");
    carrier.set("JOIN=");
    carrier.docker("enable");
    Await.until(Duration.ofSeconds(20), () -> "no line on host 2", () -> join(host2).ok());
    lost.set("JOIN=" + joinLine(host2));
    lost.docker("enable");
    Await.until(
        Duration.ofSeconds(20),
        () -> "not all is put back: " + putBack(),
        () -> putBack().size() == 3);
    traffic.requireUninterrupted();
  }

  /** The VLAN's config and both leases, once all is put back. */
  private static List<String> putBack() {
    return friend(host2, "get --prefix --keys-only /coreos.com/network/vlan002/")
        .out()
        .lines()
        .filter(line -> !line.isBlank())
        .toList();
  }

  /** An empty one: what the VLANs are, their hosts know. */
  @Test
  @Order(3)
  void movedToAClusterOfThreeHostByHostNothingIsInterrupted() {
    EtcdCluster cluster = lab.etcdClusterOverTls();
    Container web = host1.container("web");
    Container box = host2.container("box");
    Traffic traffic = new Traffic(lab).between(web, box);
    for (Host host : new Host[] {host2, host1}) {
      ManagedPlugin plugin = new ManagedPlugin(host);
      plugin.docker("disable", "--force");
      plugin.set("ETCD_ENDPOINTS=" + cluster.endpoints());
      plugin.set("ETCD_CACERT=" + known(host, lab.etcdClustersCertificate()));
      plugin.set("JOIN=");
      plugin.docker("enable");
    }
    Etcd member = cluster.members().getFirst();
    Await.until(
        Duration.ofSeconds(20),
        () -> "not all is put back: " + member.keys("/"),
        () ->
            member.keys("/coreos.com/network/vlan002/").size() == 3
                && member.keys("/flannelvlan/networks/").size() == 1
                && member.keys("/flannelvlan/addresses/vlan002/").size() == 2);
    for (Host host : new Host[] {host1, host2}) {
      Container fresh = host.run("fresh", "vlan002");
      assertThat(fresh.reaches(web.address())).isTrue();
      assertThat(fresh.reaches(box.address())).isTrue();
    }
    traffic.requireUninterrupted();
  }

  /** Where the plugin finds this file. */
  private static String known(Host host, Path file) {
    String place = "/var/lib/flannelvlan/etcd-ca.pem";
    Path passing = host.srv().resolve("etcd-ca.pem");
    try {
      Files.copy(file, passing);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    host.withEnginesTools("cp", "/srv/etcd-ca.pem", place).orThrow();
    return place;
  }

  private static Result install(Host host, String... settings) {
    String words = "plugin install --grant-all-permissions --alias flannelvlan/flannelvlan ";
    return host.tryDocker(
        (words + reference + " " + String.join(" ", settings)).strip().split(" "));
  }

  private static void docker(Host host, String words) {
    host.docker(words.split(" "));
  }

  /** {@code ssh host1 sudo cat /var/lib/flannelvlan/join}. */
  private static String joinLine(Host host) {
    return join(host).orThrow().text();
  }

  private static Result join(Host host) {
    return host.withEnginesTools("cat", "/var/lib/flannelvlan/join");
  }
}
