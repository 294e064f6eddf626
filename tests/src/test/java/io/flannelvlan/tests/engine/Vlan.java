package io.flannelvlan.tests.engine;

import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LabException;
import java.util.ArrayList;
import java.util.List;

/** A VLAN as a user makes it, with the names that follow from its number. */
record Vlan(int vni) {
  String name() {
    return "vlan%03d".formatted(vni);
  }

  String range() {
    return "10." + vni + ".0.0/16";
  }

  String bridge() {
    return "fvbr." + vni;
  }

  String tunnel() {
    return "flannel." + vni;
  }

  /** {@code docker network create}; on a host that has heard of it, it may already be there. */
  void createOn(Host host, String... options) {
    if (host.tryDocker("network", "inspect", name()).ok()) {
      return;
    }
    List<String> words =
        new ArrayList<>(
            List.of("network", "create", "-d", "flannelvlan", "--ipam-driver", "flannelvlan"));
    words.addAll(List.of("--subnet", range(), "--opt", "vni=" + vni));
    words.addAll(List.of(options));
    words.add(name());
    host.docker(words.toArray(String[]::new));
  }

  void removeFrom(Host host) {
    host.docker("network", "rm", name());
  }

  /** The gateway of its containers on this host. */
  String gateway(Host host) {
    return addressOf(bridge(), host);
  }

  /** The tunnel's own address on this host, as flannel gives it: the base of the host's subnet. */
  String tunnelAddress(Host host) {
    return addressOf(tunnel(), host);
  }

  private static String addressOf(String link, Host host) {
    // Such as "fvbr.1           UP             10.1.20.1/24 ".
    String line = host.in("ip", "-brief", "-4", "address", "show", "dev", link).orThrow().text();
    String[] words = line.split("[ /]+", -1);
    if (words.length < 3) {
      throw new LabException(link + " of " + host.name() + " has no address: " + line);
    }
    return words[2];
  }
}
