package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.Endpoint.State;
import java.util.Collection;
import java.util.Optional;

/**
 * MAC addresses on a bridge that several VLANs share: it sends what is for one of them to the port
 * that used it last, whichever VLAN that port is in. Within a VLAN they are its users' affair.
 */
record BridgeMacs(Networks networks, Collection<Endpoint> endpoints) {

  /**
   * Sees to it that the endpoint takes no MAC from another VLAN's.
   *
   * @throws Refused naming the one that has it
   */
  void requireFree(Endpoint wanted) {
    endpoints.stream()
        .filter(other -> other.mac().equals(wanted.mac()) && other.state() != State.LEFT)
        .filter(other -> !vlan(other).equals(vlan(wanted)))
        .filter(other -> bridge(other).isPresent() && bridge(other).equals(bridge(wanted)))
        .findFirst()
        .ifPresent(other -> {
          throw new Refused(
              wanted.mac()
                  + " is the MAC of "
                  + other.address().address()
                  + " in VLAN "
                  + vlan(other).orElseThrow()
                  + ", which is on bridge "
                  + bridge(other).orElseThrow()
                  + " too: choose another --mac-address");
        });
  }

  private Optional<String> vlan(Endpoint endpoint) {
    return networks.find(endpoint.network()).map(Network::vlan);
  }

  private Optional<String> bridge(Endpoint endpoint) {
    return vlan(endpoint).flatMap(networks::links).map(VlanLinks::bridge);
  }
}
