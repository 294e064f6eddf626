package io.flannelvlan.ipam;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.MacAddress;
import java.time.Instant;
import java.util.Optional;

/**
 * An address that this host gave out, as the journal keeps it.
 *
 * @param range of the VLAN; the VLAN's name may not be settled yet
 * @param address with the prefix length of the lease that it lies in
 * @param endpoint who has it; absent before CreateEndpoint and after DeleteEndpoint, and for
 *     auxiliary addresses
 */
public record AllocatedAddress(
    Cidr range,
    InterfaceAddress address,
    Optional<String> endpoint,
    Optional<MacAddress> mac,
    Instant since) {

  /** Ranges never overlap, so the address alone names the record. */
  String key() {
    return address.address().toString();
  }

  AllocatedAddress confirmed(String endpointId, MacAddress endpointMac) {
    return new AllocatedAddress(
        range, address, Optional.of(endpointId), Optional.of(endpointMac), since);
  }

  AllocatedAddress unconfirmed() {
    return new AllocatedAddress(range, address, Optional.empty(), Optional.empty(), since);
  }
}
