package io.flannelvlan.dockerplugin;

import java.util.List;
import java.util.Map;

/**
 * What dockerd says about an endpoint or its sandbox beside the addresses.
 *
 * @param portMap ports to publish; in Join those of the whole container
 * @param exposedPorts ports that the image names
 * @param noProxy6to4 whether another endpoint is the container's IPv6 gateway (from 28.0 on)
 * @param driverOpts every other key, such as the user's {@code driver_opts}; a value that is no
 *     text stands there as JSON
 */
public record EndpointOptions(
    List<PortBinding> portMap,
    List<ExposedPort> exposedPorts,
    boolean noProxy6to4,
    Map<String, String> driverOpts) {

  public static final EndpointOptions NONE =
      new EndpointOptions(List.of(), List.of(), false, Map.of());

  public EndpointOptions {
    portMap = List.copyOf(portMap);
    exposedPorts = List.copyOf(exposedPorts);
    driverOpts = Map.copyOf(driverOpts);
  }
}
