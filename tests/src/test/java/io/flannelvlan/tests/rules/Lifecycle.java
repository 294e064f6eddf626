package io.flannelvlan.tests.rules;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What must be true of networks, addresses and endpoints after any calls in any order: a model of
 * nothing but sets, which says of each call whether it must succeed.
 */
final class Lifecycle {

  /** What the plugin has of an endpoint. */
  private record Endpoint(int network, String address, boolean left) {}

  private final Set<Integer> networks = new TreeSet<>();
  private final Map<String, Integer> addresses = new TreeMap<>();
  private final Map<Integer, Endpoint> endpoints = new TreeMap<>();

  /** All that are given out. */
  Set<String> addresses() {
    return new TreeSet<>(addresses.keySet());
  }

  Set<String> addressesOf(int network) {
    return addresses.entrySet().stream()
        .filter(entry -> entry.getValue() == network)
        .map(Map.Entry::getKey)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Those that have a link. */
  Set<Integer> linked() {
    return endpoints.entrySet().stream()
        .filter(entry -> !entry.getValue().left)
        .map(Map.Entry::getKey)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  boolean createsNetwork(int network) {
    networks.add(network);
    return true;
  }

  boolean requestsAddress(int network) {
    return networks.contains(network);
  }

  /** False if it was given out before: then the plugin is wrong, and not the caller. */
  boolean gives(int network, String address) {
    return addresses.putIfAbsent(address, network) == null;
  }

  /** Asked for with an address that the network has given out. */
  boolean createsEndpoint(int network, int endpoint, String address) {
    Endpoint known = endpoints.get(endpoint);
    if (known != null) {
      return known.address.equals(address) && !known.left;
    }
    if (endpoints.values().stream().anyMatch(other -> other.address.equals(address))) {
      return false;
    }
    endpoints.put(endpoint, new Endpoint(network, address, false));
    return true;
  }

  boolean joins(int endpoint) {
    Endpoint known = endpoints.get(endpoint);
    return known != null && !known.left;
  }

  boolean leaves(int endpoint) {
    endpoints.computeIfPresent(endpoint, (_, e) -> new Endpoint(e.network, e.address, true));
    return true;
  }

  boolean deletesEndpoint(int endpoint) {
    endpoints.remove(endpoint);
    return true;
  }

  /** Nothing is taken from an endpoint that is there. */
  boolean releases(String address) {
    if (endpoints.values().stream().noneMatch(e -> e.address.equals(address))) {
      addresses.remove(address);
    }
    return true;
  }

  boolean deletesNetwork(int network) {
    if (networks.remove(network)) {
      endpoints.values().removeIf(e -> e.network == network);
      addresses.values().removeIf(of -> of == network);
    }
    return true;
  }
}
