package io.flannelvlan.driver;

import io.flannelvlan.ipam.AllocatedAddress;

/**
 * One thing that this host keeps for dockerd, as it stood when it was looked at: a call that
 * changes it makes it another.
 */
sealed interface Held {

  /** By which calls name it. */
  String id();

  /** A network of ours. */
  record OfNetwork(Network network) implements Held {
    @Override
    public String id() {
      return network.id();
    }

    @Override
    public String toString() {
      return "network " + network.id() + " on VLAN " + network.vlan();
    }
  }

  /** An endpoint, its address and its link. */
  record OfEndpoint(Endpoint endpoint) implements Held {
    @Override
    public String id() {
      return endpoint.id();
    }

    @Override
    public String toString() {
      return "endpoint " + endpoint.id() + " with " + endpoint.address();
    }
  }

  /** An address that no endpoint has. */
  record OfAddress(AllocatedAddress address) implements Held {
    @Override
    public String id() {
      return address.address().address().toString();
    }

    @Override
    public String toString() {
      return "address " + address.address() + " given out at " + address.since();
    }
  }
}
