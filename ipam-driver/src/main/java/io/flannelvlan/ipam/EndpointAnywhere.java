package io.flannelvlan.ipam;

import io.flannelvlan.net.IpAddress;

/**
 * An endpoint in a VLAN, whichever host it is on, by etcd's word.
 *
 * @param host what etcd names it, its public address
 * @param id Docker's
 */
public record EndpointAnywhere(IpAddress address, String host, String id) {

  private static final int SHORT_ID = 12;

  @Override
  public String toString() {
    return address
        + " on host "
        + host
        + " (endpoint "
        + id.substring(0, Math.min(SHORT_ID, id.length()))
        + ")";
  }
}
