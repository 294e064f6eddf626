package io.flannelvlan.dockerengine;

import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.util.Optional;

/**
 * An endpoint as the engine has it.
 *
 * @param network the network's id
 * @param endpoint its own; of a container that only may be attached later there is none
 * @param assigned with the prefix length of its subnet
 */
public record Attachment(
    String network,
    Optional<String> endpoint,
    Optional<InterfaceAddress> assigned,
    Optional<MacAddress> mac) {

  public Optional<IpAddress> address() {
    return assigned.map(InterfaceAddress::address);
  }
}
