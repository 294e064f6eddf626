package io.flannelvlan.dockerengine;

import java.util.List;

/**
 * A container, running or not, as the engine lists it.
 *
 * @param attachments to what, those first by which the container reaches the outside
 */
public record EngineContainer(String id, List<Attachment> attachments) {

  public EngineContainer {
    attachments = List.copyOf(attachments);
  }
}
