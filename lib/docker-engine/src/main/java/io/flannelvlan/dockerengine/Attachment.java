package io.flannelvlan.dockerengine;

import io.flannelvlan.net.IpAddress;
import java.util.Optional;

/**
 * An endpoint as the engine has it.
 *
 * @param network the network's id
 * @param endpoint its own; of a container that only may be attached later there is none
 */
public record Attachment(String network, Optional<String> endpoint, Optional<IpAddress> address) {}
