package io.flannelvlan.tests.demo;

import io.flannelvlan.tests.lab.Host;
import java.util.List;

/** A VLAN as a user thinks of it. */
record Vlan(String name, int vni, String range) {
  static final Vlan VLAN001 = new Vlan("vlan001", 1, "10.1.0.0/16");
  static final Vlan VLAN002 = new Vlan("vlan002", 2, "10.2.0.0/16");

  List<String> createCommand() {
    return List.of(
        ("network create -d flannelvlan --ipam-driver flannelvlan"
                + (" --subnet " + range + " --opt vni=" + vni + " " + name))
            .split(" ", -1));
  }

  /** On a host that has heard of the VLAN from another one, the network may already be there. */
  void createOn(Host host) {
    if (!host.tryDocker("network", "inspect", name).ok()) {
      host.docker(createCommand().toArray(String[]::new));
    }
  }
}
