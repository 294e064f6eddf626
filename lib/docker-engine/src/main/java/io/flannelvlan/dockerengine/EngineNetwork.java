package io.flannelvlan.dockerengine;

import io.flannelvlan.net.IpAddress;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A network as the engine has it.
 *
 * @param attachments all its endpoints, those without a sandbox too
 */
public record EngineNetwork(String id, NetworkSpec spec, List<Attachment> attachments) {

  public EngineNetwork {
    attachments = List.copyOf(attachments);
  }

  /** Addresses that its user set aside. */
  public Set<IpAddress> auxiliary() {
    return spec.pools().stream()
        .flatMap(pool -> pool.auxiliary().values().stream())
        .map(IpAddress::parse)
        .collect(Collectors.toSet());
  }
}
