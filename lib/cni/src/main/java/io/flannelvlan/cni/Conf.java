package io.flannelvlan.cni;

import com.fasterxml.jackson.databind.JsonNode;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The configuration that a runtime hands over: the user's file, and what the runtime adds to it.
 *
 * @param name of the network in the runtime's eyes
 * @param vlan {@code "network": "vlan002"}
 * @param annotation of the pod, {@value #ANNOTATION}; it wins over the VLAN of the file
 * @param addresses by {@code runtimeConfig.ips} or {@code args.cni.ips}; the runtime's own goes
 *     first, as for the MAC
 * @param previous the result of the plugin before this one in a chain, or of the ADD
 * @param dns passed on as it is
 * @param valid whom GC shall leave alone
 */
record Conf(
    SpecVersion version,
    String name,
    Optional<String> vlan,
    Optional<String> annotation,
    List<IpAddress> addresses,
    Optional<MacAddress> mac,
    Optional<JsonNode> previous,
    Optional<JsonNode> dns,
    Set<AttachmentId> valid) {

  /** Where a pod says which VLANs it is in. */
  static final String ANNOTATION = "flannelvlan.io/networks";

  Conf {
    addresses = List.copyOf(addresses);
    valid = Set.copyOf(valid);
  }
}
