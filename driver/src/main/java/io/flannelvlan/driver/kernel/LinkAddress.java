package io.flannelvlan.driver.kernel;

import io.flannelvlan.net.InterfaceAddress;

/** An IPv4 address on a link. */
public record LinkAddress(String link, InterfaceAddress address) {

  @Override
  public String toString() {
    return address + " dev " + link;
  }
}
