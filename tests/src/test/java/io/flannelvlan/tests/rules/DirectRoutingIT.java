package io.flannelvlan.tests.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LogsOnFailure;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** flannel's DirectRouting: hosts on one layer 2 need no tunnel. */
@ExtendWith(LogsOnFailure.class)
final class DirectRoutingIT {

  private static final String CONFIG =
      """
      {"Network":"10.7.0.0/16","Backend":{"Type":"vxlan","VNI":7,"DirectRouting":true}}\
      """;

  @Test
  void hostsOnOneWireRouteToEachOtherWithoutATunnel() {
    try (Lab lab = Lab.start()) {
      lab.etcd().put("/coreos.com/network/vlan007/config", CONFIG);
      List<Host> hosts = lab.hosts(Engine.DOCKER_28, Engine.DOCKER_28);
      for (Host host : hosts) {
        host.plugin().start();
        host.docker(
            "network",
            "create",
            "-d",
            "flannelvlan",
            "--ipam-driver",
            "flannelvlan",
            "--subnet",
            "10.7.0.0/16",
            "vlan007");
      }
      Container one = hosts.get(0).run("one", "vlan007");
      Container two = hosts.get(1).run("two", "vlan007");

      assertThat(one.reaches(two.address())).isTrue();
      assertThat(two.reaches(one.address())).isTrue();
      assertThat(hosts.get(0).in("ip", "route", "show", "proto", "241").text())
          .contains("via " + hosts.get(1).address() + " dev eth0");
      assertThat(hosts.get(0).in("bridge", "fdb", "show", "dev", "flannel.7").text())
          .doesNotContain("dst");
    }
  }
}
