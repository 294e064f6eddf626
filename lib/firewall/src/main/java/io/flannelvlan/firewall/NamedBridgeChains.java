package io.flannelvlan.firewall;

import static java.util.stream.Collectors.joining;

import io.flannelvlan.firewall.NamedBridge.Member;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What our table has of the named bridges: there a container's address tells the VLAN, where
 * otherwise the link does. The user's own stations on such a bridge are as good as any outside.
 */
final class NamedBridgeChains {

  /**
   * A packet's word from here to {@link BridgeTable}: it was translated, so it may go from one
   * VLAN's port to another's. With br_netfilter a published port is led to its container inside the
   * bridge, past every routing, and so is the answer to a masqueraded question. A priority, and no
   * mark: users' rules know marks, nobody's know this; no queueing discipline has that handle. What
   * a container sends with it is dropped.
   */
  static final String TRANSLATED = "6666:1";

  private static final String CHAINS =
      """
        chain from_named {
          ip daddr 127.0.0.0/8 drop
          ip saddr vmap @arriving_residents
        }

        chain inward_named {
          ip saddr vmap @inward_residents
        }

        chain translated {
          type filter hook prerouting priority -90; policy accept;
          iifname @named ip daddr @residents ct status dnat meta priority set %1$s
          iifname @named ip daddr @residents ct direction reply ct status snat meta priority set %1$s
        }

        chain shared {
          iifname vmap @sources
          iifname @named ip saddr vmap @leaving
          oifname @named ip daddr vmap @entering
        }

        chain entered {
          ip saddr 127.0.0.0/8 masquerade comment "host to itself"
          ct status dnat ip saddr @ranges masquerade comment "hairpin"
        }

      """
          .formatted(TRANSLATED);

  private NamedBridgeChains() {}

  /** Into the chain that forwards, before everything. */
  static String forward(FirewallRules rules) {
    return rules.named().isEmpty()
        ? ""
        : "    iifname @named jump shared\n    oifname @named jump shared\n";
  }

  /** Into the chain that translates what leaves this host's routing, before everything. */
  static String postrouting(FirewallRules rules) {
    return rules.named().isEmpty() ? "" : "    oifname @named ip daddr @residents goto entered\n";
  }

  /** The bridges' entries of the map of that name. */
  static Stream<String> jumps(FirewallRules rules, String chain) {
    return rules.named().stream().map(b -> NftText.quoted(b.name()) + " : jump " + chain);
  }

  /** Sets, chains and maps; behind those that they name, before those that name them. */
  static String render(FirewallRules rules) {
    if (rules.named().isEmpty()) {
      return "";
    }
    return NftText.set(
            "named", "iifname", rules.named().stream().map(b -> NftText.quoted(b.name())))
        + NftText.set(
            "residents",
            "ip daddr\n    flags interval",
            rules.members().flatMap(member -> member.addresses().stream()))
        + NftText.set(
            "secluded",
            "ip daddr\n    flags interval",
            rules
                .members()
                .filter(member -> isSecluded(rules, member))
                .flatMap(member -> member.addresses().stream()))
        + rules.members().map(member -> chains(rules, member)).collect(joining())
        + maps(rules)
        + CHAINS;
  }

  private static String maps(FirewallRules rules) {
    return byAddress("arriving_residents", "ip saddr", rules, member -> arriving(rules, member))
        + byAddress("inward_residents", "ip saddr", rules, member -> inward(rules, member))
        + byAddress("leaving", "ip saddr", rules, member -> Optional.of("leaving_" + member.vni()))
        + byAddress(
            "entering", "ip daddr", rules, member -> Optional.of("entering_" + member.vni()));
  }

  private static Optional<String> arriving(FirewallRules rules, Member member) {
    return Optional.of(
        rules.rules(member).map(vlan -> "from_bridge_" + vlan.vni()).orElse("from_fenced"));
  }

  private static Optional<String> inward(FirewallRules rules, Member member) {
    return rules.rules(member).filter(VlanRules::internal).map(vlan -> "inward_" + vlan.vni());
  }

  private interface Target {
    Optional<String> chain(Member member);
  }

  private static String byAddress(String name, String type, FirewallRules rules, Target target) {
    return NftText.map(
        name,
        type + " : verdict\n    flags interval",
        rules
            .members()
            .flatMap(member ->
                target.chain(member).stream()
                    .flatMap(
                        chain -> member.addresses().stream().map(a -> a + " : goto " + chain))));
  }

  /** An internal VLAN, or one behind a fence. */
  private static boolean isSecluded(FirewallRules rules, Member member) {
    return rules.rules(member).map(VlanRules::internal).orElse(true);
  }

  private static String chains(FirewallRules rules, Member member) {
    boolean secluded = isSecluded(rules, member);
    List<String> links = rules.linksOf(member).sorted().map(NftText::quoted).toList();
    return """
      chain leaving_%1$s {
    %2$s%3$s    jump direct
    %4$s    oifname @internal drop
        oifname @named ip daddr @secluded drop
        ct status dnat accept comment "published ports and their replies"
        oifname @links drop comment "between VLANs"
        oifname @named ip daddr @residents drop comment "between VLANs"
        oifname @docker drop comment "around Docker's isolation"
        accept
      }

      chain entering_%1$s {
    %5$s    jump direct
    %4$s    iifname @internal drop
        ct status dnat accept comment "published ports and their replies"
        iifname @links drop comment "between VLANs"
        ct state != { established, related } drop comment "into a VLAN"
        accept
      }

    """
        .formatted(
            member.vni(),
            accept("oifname", links),
            accept("oifname @named ip daddr", member.addresses()),
            secluded ? "    drop comment \"internal\"\n" : "",
            accept("iifname", links));
  }

  private static String accept(String what, List<String> values) {
    return values.isEmpty()
        ? ""
        : "    " + what + " { " + String.join(", ", values) + " } accept\n";
  }
}
