package io.flannelvlan.driver.kernel;

import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;

/** An FDB entry of a vxlan link: a peer's VTEP MAC and the underlay address to send to. */
public record LinkFdb(String link, MacAddress mac, IpAddress destination) {

  @Override
  public String toString() {
    return mac + " dev " + link + " dst " + destination + " self permanent";
  }
}
