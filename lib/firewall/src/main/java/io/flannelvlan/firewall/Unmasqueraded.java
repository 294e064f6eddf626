package io.flannelvlan.firewall;

/**
 * dockerd masquerades whatever leaves its bridge by another link (at priority 100), and a peer
 * would see this host in the place of the container. A translation that changes nothing is one,
 * too, and of all the first counts. What was translated on its way in, as to a published port,
 * needs its masquerade.
 */
final class Unmasqueraded {

  private static final String CHAIN =
      """

        chain nat_plain {
          type nat hook postrouting priority 90; policy accept;
          ct status dnat return
          ip saddr @ranges ip daddr @ranges snat ip to ip saddr
        }
      """;

  private Unmasqueraded() {}

  /** Only where somebody else's bridge has containers of a VLAN. */
  static String chain(FirewallRules rules) {
    return rules.plainBridges().isEmpty() ? "" : CHAIN;
  }
}
