package io.flannelvlan.driver;

import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.MacAddress;
import java.time.Instant;
import java.util.List;

/**
 * A container's attachment to one of our networks; the journal's record.
 *
 * @param sandbox the sandbox that took it; empty while {@link State#CREATED}
 * @param ports what it has published on this host
 */
record Endpoint(
    String id,
    String network,
    InterfaceAddress address,
    MacAddress mac,
    State state,
    String sandbox,
    List<HostPort> ports,
    Instant created) {

  /** Where in its life an endpoint is; the legal moves are CREATED → JOINED → LEFT. */
  enum State {
    /** The veth pair waits in the host's namespace. */
    CREATED,
    /** dockerd has taken one end into the sandbox. */
    JOINED,
    /** dockerd gives it back; only DeleteEndpoint may follow. */
    LEFT
  }

  Endpoint {
    ports = List.copyOf(ports);
  }

  String hostLink() {
    return LinkNames.hostEnd(id);
  }

  String sandboxLink() {
    return LinkNames.sandboxEnd(id);
  }

  Endpoint joined(String sandboxKey) {
    return new Endpoint(id, network, address, mac, State.JOINED, sandboxKey, ports, created);
  }

  Endpoint left() {
    return new Endpoint(id, network, address, mac, State.LEFT, sandbox, List.of(), created);
  }

  Endpoint publishing(List<HostPort> published) {
    return new Endpoint(id, network, address, mac, state, sandbox, published, created);
  }
}
