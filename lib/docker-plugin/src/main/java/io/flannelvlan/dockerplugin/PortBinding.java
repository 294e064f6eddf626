package io.flannelvlan.dockerplugin;

import io.flannelvlan.net.IpAddress;
import java.util.Optional;

/**
 * A published port, {@code -p [hostIp:]hostPort[-hostPortEnd]:containerPort/proto}.
 *
 * @param hostIp where to listen; absent for every address of the host
 * @param hostPort first port allowed on the host; 0 leaves the choice to us
 * @param hostPortEnd last port allowed on the host, {@code hostPort} if just that one
 */
public record PortBinding(
    Protocol proto, int containerPort, Optional<IpAddress> hostIp, int hostPort, int hostPortEnd) {

  private static final int LAST_PORT = 65535;

  public PortBinding {
    if (containerPort < 0 || containerPort > LAST_PORT) {
      throw new IllegalArgumentException(containerPort + " is no port");
    }
    if (hostPort < 0 || hostPortEnd < hostPort || hostPortEnd > LAST_PORT) {
      throw new IllegalArgumentException(hostPort + "-" + hostPortEnd + " is no range of ports");
    }
  }

  /** Whether any free port of the host will do. */
  public boolean isEphemeral() {
    return hostPort == 0;
  }
}
