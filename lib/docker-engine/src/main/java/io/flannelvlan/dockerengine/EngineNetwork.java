package io.flannelvlan.dockerengine;

import io.flannelvlan.net.IpAddress;
import java.util.List;
import java.util.Set;

/**
 * A network as the engine has it.
 *
 * @param attachments all its endpoints, those without a sandbox too
 * @param auxiliary addresses that its user set aside
 */
public record EngineNetwork(String id, List<Attachment> attachments, Set<IpAddress> auxiliary) {

  public EngineNetwork {
    attachments = List.copyOf(attachments);
    auxiliary = Set.copyOf(auxiliary);
  }
}
