package io.flannelvlan.dockerengine;

import io.flannelvlan.net.IpAddress;
import java.util.Optional;

/**
 * A network for a running container, as {@code docker network connect} would ask for it.
 *
 * @param network id or name
 * @param container id or name
 * @param address the network's choice if absent
 */
public record NewAttachment(String network, String container, Optional<IpAddress> address) {}
