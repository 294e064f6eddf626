package io.flannelvlan.driver;

import io.flannelvlan.dockerengine.Attachment;
import io.flannelvlan.dockerengine.DockerEngine;
import io.flannelvlan.dockerengine.EngineNetwork;
import io.flannelvlan.dockerengine.ListedNetwork;
import io.flannelvlan.net.IpAddress;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What Docker knew when it was asked. It exists only whole: one question without an answer, and
 * there is no view at all.
 *
 * @param networks the ids of all its networks
 * @param endpoints the ids of all endpoints in ours
 * @param addresses those of these endpoints, and those that users set aside
 */
record DockerView(Set<String> networks, Set<String> endpoints, Set<IpAddress> addresses) {

  DockerView {
    networks = Set.copyOf(networks);
    endpoints = Set.copyOf(endpoints);
    addresses = Set.copyOf(addresses);
  }

  /**
   * By the engine's networks: they list every endpoint, also one whose container is only being
   * started.
   *
   * @param all its networks
   * @param ours the ids of networks whose endpoints matter
   */
  static DockerView ofNetworks(
      DockerEngine engine, List<ListedNetwork> all, Collection<String> ours) {
    Set<String> listed = all.stream().map(ListedNetwork::id).collect(Collectors.toSet());
    Set<String> endpoints = new HashSet<>();
    Set<IpAddress> addresses = new HashSet<>();
    for (String id : ours) {
      if (listed.contains(id)) {
        EngineNetwork network = engine.network(id);
        addresses.addAll(network.auxiliary());
        for (Attachment attachment : network.attachments()) {
          attachment.endpoint().ifPresent(endpoints::add);
          attachment.address().ifPresent(addresses::add);
        }
      }
    }
    return new DockerView(listed, endpoints, addresses);
  }

  /** As well what running containers say themselves, in case the engine's lists are not all. */
  DockerView with(List<Attachment> attachments) {
    Set<String> moreNetworks = new HashSet<>(networks);
    Set<String> moreEndpoints = new HashSet<>(endpoints);
    Set<IpAddress> moreAddresses = new HashSet<>(addresses);
    for (Attachment attachment : attachments) {
      if (attachment.endpoint().isPresent()) {
        moreNetworks.add(attachment.network());
        moreEndpoints.add(attachment.endpoint().get());
      }
      attachment.address().ifPresent(moreAddresses::add);
    }
    return new DockerView(moreNetworks, moreEndpoints, moreAddresses);
  }

  boolean knows(Held held) {
    return switch (held) {
      case Held.OfNetwork n -> networks.contains(n.network().id());
      case Held.OfEndpoint e -> endpoints.contains(e.endpoint().id());
      case Held.OfAddress a -> addresses.contains(a.address().address().address());
    };
  }
}
