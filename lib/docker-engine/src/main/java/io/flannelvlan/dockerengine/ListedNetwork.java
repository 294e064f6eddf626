package io.flannelvlan.dockerengine;

import java.util.List;
import java.util.Map;

/**
 * A network in the engine's list.
 *
 * @param subnets as the engine writes them
 * @param options for the driver, as its user gave them
 */
public record ListedNetwork(
    String id,
    String name,
    String driver,
    boolean internal,
    List<String> subnets,
    Map<String, String> options,
    Map<String, String> labels) {

  public ListedNetwork {
    subnets = List.copyOf(subnets);
    options = Map.copyOf(options);
    labels = Map.copyOf(labels);
  }
}
