package io.flannelvlan.tests.chaos;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What there should be, by the steps alone: what became of them has no say in what comes next, or a
 * seed would not give the same walk again.
 */
final class Model {
  static final int HOSTS = 3;
  static final List<String> VLANS = List.of("vlan001", "vlan002", "vlan003");

  private final Map<String, Box> boxes = new TreeMap<>();
  private final Map<Integer, Set<String>> networks = new TreeMap<>();
  private int names;
  private int ports;

  Model() {
    for (int host = 0; host < HOSTS; host++) {
      networks.put(host, new TreeSet<>());
    }
  }

  List<Box> boxes() {
    return List.copyOf(boxes.values());
  }

  List<Box> boxesOn(int host, String vlan) {
    return boxes.values().stream()
        .filter(box -> box.host() == host && box.vlans().contains(vlan))
        .toList();
  }

  void put(Box box) {
    boxes.put(box.name(), box);
  }

  void remove(Box box) {
    boxes.remove(box.name());
  }

  List<String> networks(int host) {
    return List.copyOf(networksOf(host));
  }

  void create(int host, String vlan) {
    networksOf(host).add(vlan);
  }

  void removeNetwork(int host, String vlan) {
    networksOf(host).remove(vlan);
  }

  /** No beginning of a container's id, which docker would take it for once the name is gone. */
  String newName() {
    return "box" + ++names;
  }

  int newPort() {
    return 8000 + ++ports;
  }

  private Set<String> networksOf(int host) {
    return networks.computeIfAbsent(host, _ -> new TreeSet<>());
  }
}
