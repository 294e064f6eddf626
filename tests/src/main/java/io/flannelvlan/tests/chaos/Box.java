package io.flannelvlan.tests.chaos;

import java.util.ArrayList;
import java.util.List;

/** A container that the walk has started and not removed; whether it runs is dockerd's business. */
record Box(int host, String name, List<String> vlans) {
  Box {
    vlans = List.copyOf(vlans);
  }

  Box with(String vlan) {
    List<String> more = new ArrayList<>(vlans);
    more.add(vlan);
    return new Box(host, name, more);
  }

  Box without(String vlan) {
    return new Box(host, name, vlans.stream().filter(v -> !v.equals(vlan)).toList());
  }
}
