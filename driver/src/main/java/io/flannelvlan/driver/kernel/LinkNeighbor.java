package io.flannelvlan.driver.kernel;

import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;

/** A permanent neighbour on a vxlan link: a peer's base address and its VTEP's MAC. */
public record LinkNeighbor(String link, IpAddress address, MacAddress mac) {

  @Override
  public String toString() {
    return address + " lladdr " + mac + " dev " + link + " nud permanent";
  }
}
