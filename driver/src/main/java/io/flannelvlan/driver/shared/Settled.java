package io.flannelvlan.driver.shared;

import java.util.Set;

/**
 * Which generation of a VLAN's network this host has had; the journal's record. Who removes it here
 * does not get it again.
 *
 * @param networks the ids that it had in this host's Docker
 */
public record Settled(String vlan, String generation, Set<String> networks) {

  public Settled {
    networks = Set.copyOf(networks);
  }
}
