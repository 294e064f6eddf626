package io.flannelvlan.tests.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Etcd;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.ManagedPlugin;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The Dockerfile, where no image can be pulled. */
@ExtendWith(LogsOnFailure.class)
final class DockerfileIT {

  private static Lab lab;
  private static Host host;

  @BeforeAll
  static void boot() {
    lab = Lab.start();
    host = lab.host(Engine.DOCKER_28);
  }

  @AfterAll
  static void takeDown() {
    lab.close();
  }

  @Test
  void dockerBuildMakesAPluginThatServes() {
    ManagedPlugin plugin = new ManagedPlugin(host);
    plugin.createByDockerBuild();
    plugin.set("ETCD_ENDPOINTS=" + Etcd.ENDPOINT);
    plugin.set("IFACE=eth0");
    plugin.set("NETWORKS=none");
    plugin.docker("enable");
    assertThat(plugin.isEnabled()).isTrue();
    host.docker(
        ("network create -d flannelvlan --ipam-driver flannelvlan --subnet 10.2.0.0/16"
                + " --opt vni=2 vlan002")
            .split(" "));
    Container one = host.run("one", "vlan002");
    Container two = host.run("two", "vlan002");
    assertThat(one.reaches(two.address())).isTrue();
    plugin.docker("disable", "--force");
  }
}
