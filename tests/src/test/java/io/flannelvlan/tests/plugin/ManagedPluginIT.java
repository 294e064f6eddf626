package io.flannelvlan.tests.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.invariants.Invariants;
import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Etcd;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.ManagedPlugin;
import io.flannelvlan.tests.lab.Registry;
import io.flannelvlan.tests.lab.Result;
import io.flannelvlan.tests.lab.Traffic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Both engines have the plugin from a registry; networks carry the plain driver name. */
@ExtendWith(LogsOnFailure.class)
final class ManagedPluginIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String NETWORK =
      "network create -d flannelvlan --ipam-driver flannelvlan --subnet 10.2.0.0/16 --opt vni=2"
          + " vlan002";

  private static Lab lab;
  private static String version1;
  private static String version2;
  private static final List<ManagedPlugin> plugins = new ArrayList<>();

  /** One of each host, in the order of the plugins. */
  private final List<Container> boxes = new ArrayList<>();

  @BeforeAll
  static void publish() {
    lab = Lab.start();
    Registry registry = lab.registry();
    version1 = registry.reference("flannelvlan/flannelvlan:1");
    version2 = registry.reference("flannelvlan/flannelvlan:2");
    for (Engine engine : Engine.values()) {
      plugins.add(new ManagedPlugin(lab.host(engine, Registry.DOCKERD_OPTION)));
    }
    plugins.getFirst().publish(version1, "one");
    plugins.getFirst().publish(version2, "two");
    plugins.forEach(plugin -> install(plugin, version1));
  }

  private static void install(ManagedPlugin plugin, String reference) {
    plugin
        .tryInstall(reference, "IFACE=eth0", "NETWORKS=none", "ETCD_ENDPOINTS=" + Etcd.ENDPOINT)
        .orThrow();
    assertThat(plugin.isEnabled()).isTrue();
  }

  @AfterAll
  static void takeDown() {
    lab.close();
  }

  @BeforeEach
  void boot() {
    for (ManagedPlugin plugin : plugins) {
      Host host = plugin.host();
      host.docker(NETWORK.split(" "));
      boxes.add(host.run("box-" + host.name(), "vlan002", "--restart", "always"));
    }
    requireReachable();
  }

  @AfterEach
  void clear() {
    try {
      Invariants.of(lab).awaitHeld();
    } finally {
      for (Container box : boxes) {
        box.remove();
        box.host().docker("network", "rm", "vlan002");
      }
    }
  }

  @Test
  void networksCarryThePlainDriverName() {
    for (ManagedPlugin plugin : plugins) {
      String drivers = "{{.Driver}} {{.IPAM.Driver}}";
      assertThat(plugin.host().docker("network", "inspect", "-f", drivers, "vlan002").text())
          .isEqualTo("flannelvlan flannelvlan");
    }
  }

  @Test
  void itsJvmUsesTheCacheOfItsTraining() {
    assertThat(plugins).allMatch(ManagedPlugin::hasAotCache);
  }

  @Test
  void anUpgradeKeepsEveryNetworkAndInterruptsNoTraffic() {
    List<String> before = addresses();
    Traffic traffic = traffic();
    for (ManagedPlugin plugin : plugins) {
      upgrade(plugin);
    }
    newContainersStart();
    traffic.requireUninterrupted();
    assertThat(addresses()).isEqualTo(before);
  }

  /** A key of its user's, which no host would put back. */
  @Test
  void anUpgradeKeepsAllThatTheCarriedEtcdHolds() {
    ManagedPlugin plugin = plugins.getFirst();
    Host host = plugin.host();
    useEtcd(plugin, "");
    Await.until(PATIENCE, () -> "no etcd", () -> carried(host, "put", "/kept", "by it").ok());
    String line = line(host);
    upgrade(plugin);
    Await.until(
        PATIENCE, () -> "it is lost", () -> carried(host, "get", "/kept").text().contains("by it"));
    assertThat(line(host)).isEqualTo(line);
    useEtcd(plugin, Etcd.ENDPOINT);
    newContainersStart();
  }

  private static String line(Host host) {
    return host.withEnginesTools("cat", "/srv/flannelvlan/join").orThrow().text();
  }

  private static void useEtcd(ManagedPlugin plugin, String endpoints) {
    plugin.docker("disable", "--force");
    plugin.set("ETCD_ENDPOINTS=" + endpoints);
    plugin.docker("enable");
  }

  /** To the other version; nothing has to be had back from Docker afterwards. */
  private static void upgrade(ManagedPlugin plugin) {
    boolean isFirst = plugin.build().equals("one");
    plugin.docker("disable", "--force");
    plugin.upgrade(isFirst ? version2 : version1);
    plugin.docker("enable");
    assertThat(plugin.build()).isEqualTo(isFirst ? "two" : "one");
  }

  /** etcdctl, as a host that knows its key. */
  private static Result carried(Host host, String... words) {
    String client = host.stateDir() + "/etcd/client/client";
    List<String> command =
        new ArrayList<>(List.of("--insecure-skip-tls-verify", "--cert", client + ".pem"));
    command.addAll(List.of("--key", client + "-key.pem"));
    command.addAll(List.of("--endpoints", "https://" + host.address() + ":23790"));
    command.addAll(List.of(words));
    return Etcd.etcdctlAt(lab.outside(), command.toArray(String[]::new));
  }

  @Test
  void removedAndInstalledAgainItHasEveryNetworkStill() {
    List<String> before = addresses();
    Traffic traffic = traffic();
    for (ManagedPlugin plugin : plugins) {
      plugin.docker("disable", "--force");
      plugin.docker("rm", "--force");
      install(plugin, version1);
    }
    newContainersStart();
    traffic.requireUninterrupted();
    assertThat(addresses()).isEqualTo(before);
  }

  @Test
  void dockerdsRestartBringsItAndItsContainersBack() {
    for (ManagedPlugin plugin : plugins) {
      plugin.host().dockerd().stop();
      plugin.host().dockerd().start();
      assertThat(plugin.isEnabled()).isTrue();
      plugin.host().dockerd().kill();
      plugin.host().dockerd().start();
      assertThat(plugin.isEnabled()).isTrue();
    }
    boxes.replaceAll(box -> {
      Await.until(
          PATIENCE,
          () -> box.name() + " does not come back",
          () -> box.host().docker("ps", "-q", "-f", "name=" + box.name()).text().length() > 0);
      return box.host().container(box.name());
    });
    requireReachable();
  }

  @Test
  void theDaemonTakesItsPlaceAndGivesItBack() {
    List<String> before = addresses();
    Traffic traffic = traffic();
    for (ManagedPlugin plugin : plugins) {
      plugin.docker("disable", "--force");
      plugin.host().plugin().start();
    }
    newContainersStart();
    for (ManagedPlugin plugin : plugins) {
      plugin.host().plugin().stop();
      plugin.docker("enable");
    }
    newContainersStart();
    traffic.requireUninterrupted();
    assertThat(addresses()).isEqualTo(before);
  }

  /**
   * dockerd's own error has no place for a plugin's words but the name of the socket, which says
   * where they are.
   */
  @Test
  void aWrongSettingRefusesToBeEnabledAndIsNamed() {
    for (ManagedPlugin plugin : plugins) {
      plugin.docker("disable", "--force");
      plugin.set("LOG_LEVEL=loud");
      Result refused = plugin.tryDocker("enable");
      assertThat(refused.ok()).isFalse();
      assertThat(refused.err()).contains("/see-dockerds-log.sock");
      assertThat(plugin.isEnabled()).isFalse();
      assertThat(plugin.host().log("dockerd"))
          .content()
          .contains("flannelvlan: LOG_LEVEL=loud is none of [error, warn, info, debug, trace]");
      plugin.set("LOG_LEVEL=info");
      plugin.docker("enable");
    }
    newContainersStart();
  }

  private List<String> addresses() {
    return boxes.stream().map(Container::address).toList();
  }

  private void newContainersStart() {
    for (ManagedPlugin plugin : plugins) {
      Container fresh = plugin.host().run("fresh", "vlan002");
      boxes.forEach(box -> assertThat(fresh.reaches(box.address())).isTrue());
      fresh.remove();
    }
  }

  private void requireReachable() {
    for (Container from : boxes) {
      for (Container to : boxes) {
        assertThat(from.reaches(to.address())).as("%s to %s", from.name(), to.name()).isTrue();
      }
    }
  }

  private Traffic traffic() {
    return new Traffic(lab).between(boxes.getFirst(), boxes.getLast());
  }
}
