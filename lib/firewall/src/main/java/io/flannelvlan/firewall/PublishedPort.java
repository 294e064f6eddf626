package io.flannelvlan.firewall;

import io.flannelvlan.net.IpAddress;
import java.util.Comparator;
import java.util.Optional;

/**
 * A port of a container that is reachable at the host.
 *
 * @param hostAddress the only address of the host at which it is reachable; absent: all of them
 * @param vlan name of the VLAN in which the container has this address
 */
public record PublishedPort(
    Protocol protocol,
    Optional<IpAddress> hostAddress,
    int hostPort,
    IpAddress containerAddress,
    int containerPort,
    String vlan)
    implements Comparable<PublishedPort> {

  private static final Comparator<PublishedPort> BY_HOST_SIDE =
      Comparator.comparing((PublishedPort port) -> port.hostAddress.orElse(HostPorts.ANY))
          .thenComparing(PublishedPort::protocol)
          .thenComparingInt(PublishedPort::hostPort)
          .thenComparing(PublishedPort::containerAddress)
          .thenComparingInt(PublishedPort::containerPort)
          .thenComparing(PublishedPort::vlan);

  public PublishedPort {
    hostAddress = HostPorts.specific(hostAddress.orElse(HostPorts.ANY));
    if (!containerAddress.isIpv4()) {
      throw new IllegalArgumentException(
          "publish a port of " + containerAddress + ": only IPv4 is published");
    }
    if (!HostPorts.isPort(hostPort) || !HostPorts.isPort(containerPort)) {
      throw new IllegalArgumentException(
          "publish port " + containerPort + " at " + hostPort + ": a port is 1…65535");
    }
  }

  /** What two published ports cannot share. */
  String hostSide() {
    return protocol + " " + hostAddress.orElse(HostPorts.ANY) + ":" + hostPort;
  }

  @Override
  public int compareTo(PublishedPort other) {
    return BY_HOST_SIDE.compare(this, other);
  }

  @Override
  public String toString() {
    return hostSide() + " to " + containerAddress + ":" + containerPort + " in " + vlan;
  }
}
