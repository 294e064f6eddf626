package io.flannelvlan.dockerengine;

import java.util.Map;

/**
 * A network to be made, as {@code docker network create} would ask for it.
 *
 * @param driver the network driver and the IPAM driver
 * @param subnet its only one
 */
public record NewNetwork(
    String name,
    String driver,
    String subnet,
    boolean internal,
    Map<String, String> options,
    Map<String, String> labels) {

  public NewNetwork {
    options = Map.copyOf(options);
    labels = Map.copyOf(labels);
  }
}
