package io.flannelvlan.tests.demo;

import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Host;

/** A container of the scene, with what Docker tells of it. */
record Member(String letter, Container container, Vlan vlan, String address, String gateway) {
  static Member start(String letter, Host host, Vlan vlan, String... options) {
    // Docker wants at least two characters in a name.
    Container container = host.run("container" + letter, vlan.name(), options);
    String gateway =
        container.inspect("{{(index .NetworkSettings.Networks \"" + vlan.name() + "\").Gateway}}");
    return new Member(letter, container, vlan, container.address(), gateway);
  }

  String host() {
    return container.host().name();
  }
}
