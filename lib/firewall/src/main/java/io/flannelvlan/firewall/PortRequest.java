package io.flannelvlan.firewall;

import io.flannelvlan.net.IpAddress;
import java.util.Optional;

/**
 * A wish for a port of the host.
 *
 * @param hostAddress the only address of the host; absent: all of them
 * @param first 0 for any free port of the kernel's choice, then {@code last} is 0 too
 * @param last the end of a range of which the first free one will do
 */
public record PortRequest(Protocol protocol, Optional<IpAddress> hostAddress, int first, int last) {

  public PortRequest {
    hostAddress = HostPorts.specific(hostAddress.orElse(HostPorts.ANY));
    boolean any = first == 0 && last == 0;
    if (!any && (!HostPorts.isPort(first) || !HostPorts.isPort(last) || last < first)) {
      throw new IllegalArgumentException(
          "publish at " + first + "-" + last + ": no range of ports");
    }
  }

  /** A wish for exactly this port. */
  public static PortRequest exactly(PublishedPort port) {
    return new PortRequest(port.protocol(), port.hostAddress(), port.hostPort(), port.hostPort());
  }

  boolean isEphemeral() {
    return first == 0;
  }

  @Override
  public String toString() {
    return protocol
        + " "
        + hostAddress.orElse(HostPorts.ANY)
        + ":"
        + (first == last ? first : first + "-" + last);
  }
}
