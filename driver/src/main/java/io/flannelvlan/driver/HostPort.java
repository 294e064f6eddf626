package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.PortBinding;
import io.flannelvlan.firewall.Protocol;
import io.flannelvlan.net.IpAddress;
import java.util.Optional;

/**
 * A port that a container has on this host.
 *
 * @param hostIp where; absent for every address of the host
 */
record HostPort(Protocol protocol, Optional<IpAddress> hostIp, int port, int containerPort) {

  /** Whether this is what the binding asked for. */
  boolean fulfils(PortBinding binding) {
    return protocol.number() == binding.proto().number()
        && containerPort == binding.containerPort()
        && hostIp.equals(binding.hostIp().filter(ip -> !ip.toString().equals("0.0.0.0")))
        && (binding.isEphemeral() || (port >= binding.hostPort() && port <= binding.hostPortEnd()));
  }

  @Override
  public String toString() {
    return hostIp.map(IpAddress::toString).orElse("0.0.0.0")
        + ":"
        + port
        + "->"
        + containerPort
        + "/"
        + protocol;
  }
}
