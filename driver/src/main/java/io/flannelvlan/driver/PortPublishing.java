package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.PortBinding;
import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.firewall.FirewallException;
import io.flannelvlan.firewall.HostPorts;
import io.flannelvlan.firewall.PortHold;
import io.flannelvlan.firewall.PortRequest;
import io.flannelvlan.firewall.Protocol;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ports that containers have on this host: held in the host's port space, kept with their
 * endpoint in the journal, led to the container by the firewall.
 *
 * <p>{@link #lock} guards the holds; binding a socket takes microseconds.
 */
final class PortPublishing implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(PortPublishing.class);

  private final Endpoints endpoints;
  private final KernelSide kernel;
  private final ReentrantLock lock = new ReentrantLock();
  private final HostPorts hostPorts = new HostPorts();
  private final Map<String, List<PortHold>> held = new HashMap<>();

  PortPublishing(Endpoints endpoints, KernelSide kernel) {
    this.endpoints = endpoints;
    this.kernel = kernel;
  }

  /** Takes the ports again that the journal knows; they lead to their containers all the while. */
  void start() {
    for (Endpoint endpoint : endpoints.all()) {
      for (HostPort port : endpoint.ports()) {
        try {
          PortRequest again =
              new PortRequest(port.protocol(), port.hostIp(), port.port(), port.port());
          hold(endpoint.id(), List.of(again));
        } catch (FirewallException e) {
          LOG.warn("endpoint {}: {} stays published: {}", endpoint.id(), port, e.getMessage());
        }
      }
    }
  }

  /**
   * Publishes the endpoint's ports, in place of those that it had. Done again, it changes nothing.
   *
   * @throws Refused if a port is taken; none is published then
   */
  void publish(String id, List<PortBinding> bindings) {
    Endpoint endpoint = endpoints.require(id);
    if (isPublished(endpoint.ports(), bindings)) {
      return;
    }
    withdraw(id);
    List<PortRequest> requests = bindings.stream().map(PortPublishing::request).toList();
    try {
      List<HostPort> ports = hostPorts(hold(id, requests), bindings);
      endpoints.publishing(id, ports);
      kernel.settleFirewall();
      ports.forEach(port -> LOG.info("endpoint {}: published {}", id, port));
    } catch (FirewallException e) {
      withdraw(id);
      throw new Refused(String.valueOf(e.getMessage()), e);
    } catch (RuntimeException e) {
      withdraw(id);
      throw e;
    }
  }

  /**
   * Holds the ports of an endpoint that runs and whose record was lost, in place of those that are
   * known; they go into its record with it.
   *
   * @return those that it has; none if one of them is another's by now
   */
  List<HostPort> takeOver(String id, List<PortBinding> bindings) {
    letGo(id);
    try {
      return hostPorts(hold(id, bindings.stream().map(PortPublishing::request).toList()), bindings);
    } catch (FirewallException | Refused e) {
      LOG.error("endpoint {} has none of its published ports: {}", id, e.getMessage());
      return List.of();
    }
  }

  private static List<HostPort> hostPorts(List<PortHold> holds, List<PortBinding> bindings) {
    List<HostPort> ports = new ArrayList<>();
    for (int i = 0; i < holds.size(); i++) {
      PortHold hold = holds.get(i);
      ports.add(
          new HostPort(
              hold.protocol(), hold.hostAddress(), hold.port(), bindings.get(i).containerPort()));
    }
    return ports;
  }

  /** Whether the endpoint has what these ask for, and no more. */
  static boolean isPublished(List<HostPort> ports, List<PortBinding> bindings) {
    return ports.size() == bindings.size()
        && bindings.stream().allMatch(b -> ports.stream().anyMatch(port -> port.fulfils(b)));
  }

  private static PortRequest request(PortBinding binding) {
    try {
      return new PortRequest(
          Protocol.of(binding.proto().number()),
          binding.hostIp(),
          binding.hostPort(),
          binding.hostPortEnd());
    } catch (IllegalArgumentException e) {
      throw new Refused(String.valueOf(e.getMessage()), e);
    }
  }

  /** All of them or none. */
  private List<PortHold> hold(String endpoint, List<PortRequest> requests) {
    List<PortHold> holds = new ArrayList<>();
    lock.lock();
    try {
      requests.forEach(request -> holds.add(hostPorts.hold(request)));
      held.computeIfAbsent(endpoint, _ -> new ArrayList<>()).addAll(holds);
      return holds;
    } catch (RuntimeException e) {
      holds.forEach(PortHold::close);
      throw e;
    } finally {
      lock.unlock();
    }
  }

  /** Takes the endpoint's ports back; one without ports is not an error. */
  void withdraw(String id) {
    Optional<Endpoint> endpoint = endpoints.find(id).filter(e -> !e.ports().isEmpty());
    if (endpoint.isPresent()) {
      endpoints.withdrawing(id);
      kernel.wakeWhenQuiet();
    }
    letGo(id);
  }

  /** Lets the endpoint's sockets go. */
  void letGo(String id) {
    lock.lock();
    try {
      Optional.ofNullable(held.remove(id)).ifPresent(holds -> holds.forEach(PortHold::close));
    } finally {
      lock.unlock();
    }
  }

  /** Lets the sockets go; the firewall leads on to the containers. */
  @Override
  public void close() {
    lock.lock();
    try {
      held.values().forEach(holds -> holds.forEach(PortHold::close));
      held.clear();
    } finally {
      lock.unlock();
    }
  }
}
