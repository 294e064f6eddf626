package io.flannelvlan.driver.kernel;

import io.flannelvlan.net.InterfaceAddress;

/**
 * An IPv4 address on a link.
 *
 * @param labelled whether it says by its label that it is ours, as on a link that is not
 */
public record LinkAddress(String link, InterfaceAddress address, boolean labelled) {

  /** One that is its link's. */
  public LinkAddress(String link, InterfaceAddress address) {
    this(link, address, false);
  }

  boolean isSameAs(LinkAddress other) {
    return link.equals(other.link) && address.equals(other.address);
  }

  @Override
  public String toString() {
    return address + " dev " + link + (labelled ? " label " + Mark.label(link) : "");
  }
}
