package io.flannelvlan.tests.invariants;

import com.fasterxml.jackson.databind.JsonNode;
import io.flannelvlan.tests.lab.Host;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What dockerd knows of our networks.
 *
 * @param networks names by id
 * @param reserved what {@code --aux-address} keeps from being given out
 * @param restarting the containers that should run, by their restart policy, and do not
 */
record DockerLook(
    Map<String, String> networks,
    List<String> reserved,
    List<Endpoint> endpoints,
    List<Port> ports,
    List<String> restarting) {

  /** A running container's attachment to one of our networks. */
  record Endpoint(String id, String network, String container, String address) {
    @Override
    public String toString() {
      return id.substring(0, 12) + " of " + container + " at " + address;
    }
  }

  /** A port that a running container of ours was started with, if the user chose its number. */
  record Port(String container, String protocol, String hostPort, boolean everywhere) {}

  static DockerLook at(Host host) {
    DockerLook look =
        new DockerLook(
            new TreeMap<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>());
    String[] list = {"network", "ls", "--quiet", "--no-trunc", "--filter", "driver=flannelvlan"};
    inspect(host, "network", host.docker(list)).forEach(look::addNetwork);
    String[] containers = {"ps", "--all", "--quiet", "--no-trunc"};
    inspect(host, "container", host.docker(containers)).forEach(look::addContainer);
    return look;
  }

  /** What dockerd should know, by the word of the journal, where calls were made in its place. */
  static DockerLook by(JournalLook journal) {
    Map<String, String> networks = new TreeMap<>();
    journal.keys("network").forEach(id -> networks.put(id, id));
    List<Endpoint> endpoints = new ArrayList<>();
    journal
        .table("endpoint")
        .forEach((id, endpoint) -> {
          String address = endpoint.path("address").asText().replaceAll("/.*", "");
          endpoints.add(new Endpoint(id, endpoint.path("network").asText(), "?", address));
        });
    List<String> reserved = new ArrayList<>(journal.keys("address").toList());
    endpoints.forEach(endpoint -> reserved.remove(endpoint.address()));
    return new DockerLook(networks, reserved, endpoints, List.of(), List.of());
  }

  /** Its networks that are ours, of a container. */
  Stream<Endpoint> of(String container) {
    return endpoints.stream().filter(endpoint -> endpoint.container().equals(container));
  }

  private static Iterable<JsonNode> inspect(
      Host host, String type, io.flannelvlan.tests.lab.Result ids) {
    List<String> words = new ArrayList<>(List.of("inspect", "--type", type));
    ids.out().lines().forEach(words::add);
    if (words.size() == 3) {
      return List.of();
    }
    // Some may have gone since they were listed; what is left is printed all the same.
    String found = host.tryDocker(words.toArray(String[]::new)).out();
    return Json.read(found.isBlank() ? "[]" : found);
  }

  private void addNetwork(JsonNode network) {
    networks.put(network.path("Id").asText(), network.path("Name").asText());
    for (JsonNode config : network.path("IPAM").path("Config")) {
      config.path("AuxiliaryAddresses").forEach(address -> reserved.add(address.asText()));
    }
    for (JsonNode attached : network.path("Containers")) {
      endpoints.add(
          new Endpoint(
              attached.path("EndpointID").asText(),
              network.path("Id").asText(),
              attached.path("Name").asText(),
              attached.path("IPv4Address").asText().replaceAll("/.*", "")));
    }
  }

  private void addContainer(JsonNode container) {
    String name = container.path("Name").asText().substring(1);
    boolean ours =
        Json.elements(container.path("NetworkSettings").path("Networks"))
            .anyMatch(network -> networks.containsKey(network.path("NetworkID").asText()));
    if (!ours) {
      return;
    }
    boolean runs = container.path("State").path("Running").asBoolean();
    String policy = container.path("HostConfig").path("RestartPolicy").path("Name").asText();
    if (policy.equals("always") && !runs) {
      restarting.add(name + " (" + container.path("State").path("Error").asText() + ")");
    }
    if (runs) {
      // What a plugin published dockerd does not show; what was asked for it does.
      container
          .path("HostConfig")
          .path("PortBindings")
          .forEachEntry(
              (port, bindings) -> bindings.forEach(binding -> addPort(name, port, binding)));
    }
  }

  private void addPort(String container, String port, JsonNode binding) {
    String protocol = port.substring(port.indexOf('/') + 1);
    String hostPort = binding.path("HostPort").asText();
    String hostIp = binding.path("HostIp").asText();
    if (hostPort.matches("[0-9]+") && !hostIp.contains(":")) {
      boolean everywhere = hostIp.isEmpty() || hostIp.equals("0.0.0.0");
      ports.add(new Port(container, protocol, hostPort, everywhere));
    }
  }
}
