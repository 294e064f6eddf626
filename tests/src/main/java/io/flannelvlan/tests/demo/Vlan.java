package io.flannelvlan.tests.demo;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Host;
import java.time.Duration;
import java.util.List;

/** A VLAN as a user thinks of it. */
record Vlan(String name, int vni, String range) {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  static final Vlan VLAN001 = new Vlan("vlan001", 1, "10.1.0.0/16");
  static final Vlan VLAN002 = new Vlan("vlan002", 2, "10.2.0.0/16");

  List<String> createCommand() {
    return List.of(
        ("network create -d flannelvlan --ipam-driver flannelvlan"
                + (" --subnet " + range + " --opt vni=" + vni + " " + name))
            .split(" ", -1));
  }

  void createOn(Host host) {
    host.docker(createCommand().toArray(String[]::new));
  }

  /** On another host it appears by itself. */
  void awaitOn(Host host) {
    Await.until(
        PATIENCE,
        () -> name + " does not appear on " + host.name(),
        () -> host.tryDocker("network", "inspect", name).ok());
  }
}
