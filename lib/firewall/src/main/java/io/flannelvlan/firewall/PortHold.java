package io.flannelvlan.firewall;

import io.flannelvlan.net.IpAddress;
import java.io.IOException;
import java.nio.channels.Channel;
import java.util.Optional;
import java.util.Set;

/**
 * A port of the host that is ours until closed. Neither reads nor answers anything: packets for a
 * published port are translated before they would reach it.
 */
public final class PortHold implements AutoCloseable {

  private final Protocol protocol;
  private final Optional<IpAddress> hostAddress;
  private final int port;
  private final Optional<? extends Channel> socket;
  private final Set<PortHold> siblings;

  PortHold(
      PortRequest request, int port, Optional<? extends Channel> socket, Set<PortHold> siblings) {
    this.protocol = request.protocol();
    this.hostAddress = request.hostAddress();
    this.port = port;
    this.socket = socket;
    this.siblings = siblings;
    siblings.add(this);
  }

  public Protocol protocol() {
    return protocol;
  }

  /** The only address at which it is held; absent: all. */
  public Optional<IpAddress> hostAddress() {
    return hostAddress;
  }

  /** The port that was got. */
  public int port() {
    return port;
  }

  /** Whether both would receive the same packets: "any address" includes each single one. */
  boolean collidesWith(PortRequest request, int wanted) {
    return protocol == request.protocol()
        && port == wanted
        && (hostAddress.isEmpty()
            || request.hostAddress().isEmpty()
            || hostAddress.equals(request.hostAddress()));
  }

  /** Gives the port back. */
  @Override
  public void close() {
    siblings.remove(this);
    if (socket.isPresent()) {
      try {
        socket.get().close();
      } catch (IOException failure) {
        throw new FirewallException("release " + this + ": " + failure.getMessage(), failure);
      }
    }
  }

  @Override
  public String toString() {
    return protocol + " " + hostAddress.orElse(HostPorts.ANY) + ":" + port;
  }
}
