package io.flannelvlan.firewall;

import static io.flannelvlan.firewall.NftText.comment;
import static io.flannelvlan.firewall.NftText.map;
import static io.flannelvlan.firewall.NftText.pair;
import static io.flannelvlan.firewall.NftText.quoted;
import static io.flannelvlan.firewall.NftText.set;
import static java.util.stream.Collectors.joining;

import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The text of our table for {@code nft -f}. Pure, and equal for equal rules.
 *
 * <p>What differs where VLANs may share a bridge is {@link NamedBridgeChains}'; frames on it are
 * {@link BridgeTable}'s.
 *
 * <p>The way of a packet: {@code arriving} (no other VLAN's addresses, before any translation),
 * {@code nat_prerouting} (published ports), then {@code input} or {@code forward}, then {@code
 * nat_postrouting}. Sets and verdict maps find the VLAN by the link, so a packet passes the same
 * few rules however many VLANs and ports there are.
 */
final class NftTable {

  static final String NAME = "flannelvlan";

  /** First declared, so that deleting never fails; all in one transaction with what follows. */
  private static final String DELETION =
      """
      table inet %1$s
      delete table inet %1$s
      """
          .formatted(NAME);

  /**
   * Priorities are numbers because nft knows their names only in some chains. -150: behind
   * connection tracking (-200), before destination NAT (-100). -10: before everybody's filters (0),
   * so that what they accept is already free of what we forbid.
   */
  private static final String CHAINS =
      """
        chain arriving {
          type filter hook prerouting priority -150; policy accept;
          iifname vmap @arriving
        }

        chain published {
          dnat ip to ip daddr . meta l4proto . th dport map @published_at
          meta nfproto ipv4 fib daddr type local dnat ip to meta l4proto . th dport map @published
        }

        chain nat_prerouting {
          type nat hook prerouting priority -100; policy accept;
          ip daddr 127.0.0.0/8 return comment "published at 127.0.0.1 is for this host only"
          jump published
        }

        chain nat_output {
          type nat hook output priority -100; policy accept;
          jump published
        }

        chain forward {
          type filter hook forward priority -10; policy accept;
      """;

  private static final String FORWARD =
      """
          iifname != @links oifname != @links accept comment "not ours"
          iifname . oifname @bridged accept comment "seen here with br_netfilter"
          meta nfproto ipv6 drop comment "the VLANs are IPv4"
          iifname vmap @sources
          iifname . oifname @within accept
          jump direct
          iifname @internal drop
          oifname @internal drop
          ct status dnat accept comment "published ports and their replies"
          iifname @links oifname @links drop comment "between VLANs"
          iifname @links oifname @docker drop comment "around Docker's isolation"
          oifname @links ct state != { established, related } drop comment "into a VLAN"
        }

        chain nat_postrouting {
          type nat hook postrouting priority 100; policy accept;
      """;

  private static final String POSTROUTING =
      """
          oifname @links ip saddr 127.0.0.0/8 masquerade comment "host to itself"
          oifname @links ct status dnat ip saddr @ranges masquerade comment "hairpin"
          oifname @links return
          ip saddr vmap @outward
        }
      """;

  private static final String INPUT =
      """

        chain input {
          type filter hook input priority -10; policy accept;
          iifname vmap @sources
          iifname vmap @inward
        }
      """;

  private static final String FROM_FENCED =
      """
        # VLANs of which only the links are known
        chain from_fenced {
          ip saddr @ranges drop comment "spoofed"
          ip daddr @ranges drop comment "another VLAN's"
        }

      """;

  private NftTable() {}

  /** The script that replaces the table, or makes it, in one transaction. */
  static String render(FirewallRules rules) {
    List<VlanRules> vlans = rules.vlans();
    return DELETION
        + "table inet "
        + NAME
        + " {\n"
        + sets(rules)
        + vlans.stream().map(NftTable::vlanChains).collect(joining())
        + (hasFenced(rules) ? FROM_FENCED : "")
        + publishedPorts(rules)
        + vlanMaps(rules)
        + directChain(vlans)
        + NamedBridgeChains.render(rules)
        + CHAINS
        + NamedBridgeChains.forward(rules)
        + FORWARD
        + NamedBridgeChains.postrouting(rules)
        + POSTROUTING
        + Unmasqueraded.chain(rules)
        + INPUT
        + "}\n";
  }

  /** The script that removes the table, whether it is there or not. */
  static String deletion() {
    return DELETION;
  }

  private static String sets(FirewallRules rules) {
    List<VlanRules> vlans = rules.vlans();
    List<Fence> fences = rules.fences();
    return set(
            "links",
            "iifname",
            Stream.concat(vlans.stream().flatMap(v -> rules.ownLinks(v).stream()), fenced(fences))
                .map(NftText::quoted))
        + set(
            "bridged",
            "iifname . oifname",
            Stream.concat(
                    vlans.stream().flatMap(rules::ownBridges),
                    fences.stream().flatMap(fence -> fence.bridges().stream()))
                .map(bridge -> pair(bridge, bridge)))
        + set(
            "within",
            "iifname . oifname",
            Stream.concat(
                vlans.stream().flatMap(vlan -> within(rules, vlan)),
                fences.stream().flatMap(NftTable::within)))
        + set(
            "internal",
            "iifname",
            Stream.concat(
                    vlans.stream()
                        .filter(VlanRules::internal)
                        .flatMap(v -> rules.ownLinks(v).stream()),
                    fenced(fences))
                .map(NftText::quoted))
        + set("docker", "iifname", rules.dockerLinks().stream().sorted().map(NftText::quoted))
        + set(
            "ranges",
            "ip daddr\n    flags interval",
            vlans.stream().map(vlan -> vlan.range().toString()));
  }

  /** From a bridge back to itself is bridged, not routed. */
  private static Stream<String> within(FirewallRules rules, VlanRules vlan) {
    List<String> links = rules.ownLinks(vlan);
    Stream<String> between =
        links.stream()
            .flatMap(in -> links.stream().filter(out -> !out.equals(in)).map(out -> pair(in, out)));
    return Stream.concat(between, Stream.of(pair(vlan.vxlan(), vlan.vxlan())));
  }

  /** Whether there is a VLAN of which only the links, or the ports, are known. */
  private static boolean hasFenced(FirewallRules rules) {
    return !rules.fences().isEmpty()
        || rules.members().anyMatch(member -> rules.rules(member).isEmpty());
  }

  private static Stream<String> within(Fence fence) {
    return fence.links().stream().flatMap(in -> fence.links().stream().map(out -> pair(in, out)));
  }

  private static Stream<String> fenced(List<Fence> fences) {
    return fences.stream().flatMap(fence -> fence.links().stream());
  }

  /** The chains that name the VLAN's own addresses. */
  private static String vlanChains(VlanRules vlan) {
    String range = vlan.range().toString();
    return """
      # %2$s
      chain from_bridge_%1$s {
        ip daddr 127.0.0.0/8 drop
        ip daddr %3$s accept
        ct state related accept
        ct state established ct direction reply accept
        ip daddr @ranges drop comment "another VLAN's"
      }

      chain from_peers_%1$s {
        ip daddr != %3$s drop
      }

      chain source_%1$s {
        ip saddr != %3$s drop comment "spoofed"
      }

    """
            .formatted(vlan.vni(), comment(vlan.name()), range)
        + inward(vlan)
        + outward(vlan);
  }

  /** Without a tunnel a peer's packets look like any from the underlay, but for their addresses. */
  private static String directChain(List<VlanRules> vlans) {
    return "  chain direct {\n"
        + vlans.stream()
            .flatMap(vlan ->
                vlan.direct().stream()
                    .flatMap(link -> vlan.bridges().stream().map(b -> direct(vlan, link, b))))
            .collect(joining())
        + "  }\n\n";
  }

  private static String direct(VlanRules vlan, String link, String bridge) {
    return """
        iifname . oifname { %1$s, %2$s } ip saddr %3$s ip daddr %3$s accept
    """
        .formatted(pair(link, bridge), pair(bridge, link), vlan.range());
  }

  private static String inward(VlanRules vlan) {
    return !vlan.internal()
        ? ""
        : """
          chain inward_%s {
            ip daddr != %s drop comment "internal: the gateway and no more"
            meta nfproto ipv6 drop
          }

        """
            .formatted(vlan.vni(), vlan.range());
  }

  private static boolean masquerades(VlanRules vlan) {
    return vlan.masquerade() && !vlan.internal();
  }

  private static String outward(VlanRules vlan) {
    return !masquerades(vlan)
        ? ""
        : """
          chain outward_%s {
            ip daddr { %s, 224.0.0.0/4 } return
            masquerade fully-random
          }

        """
            .formatted(vlan.vni(), vlan.range());
  }

  /** Ports of an internal VLAN are kept in mind by the caller, and reach nobody. */
  private static String publishedPorts(FirewallRules rules) {
    List<String> internal =
        rules.vlans().stream().filter(VlanRules::internal).map(VlanRules::name).toList();
    List<PublishedPort> ports =
        rules.ports().stream().filter(port -> !internal.contains(port.vlan())).toList();
    return map(
            "published_at",
            "ip daddr . meta l4proto . th dport : ip daddr . th dport",
            ports.stream()
                .flatMap(port -> port.hostAddress().map(a -> a + " . " + target(port)).stream()))
        + map(
            "published",
            "meta l4proto . th dport : ip daddr . th dport",
            ports.stream().filter(port -> port.hostAddress().isEmpty()).map(NftTable::target));
  }

  private static String target(PublishedPort port) {
    return "%s . %d : %s . %d"
        .formatted(port.protocol(), port.hostPort(), port.containerAddress(), port.containerPort());
  }

  private static String vlanMaps(FirewallRules rules) {
    List<VlanRules> vlans = rules.vlans();
    return map(
            "arriving",
            "iifname : verdict",
            Stream.of(
                    vlans.stream().flatMap(vlan -> arriving(rules, vlan)),
                    fenced(rules.fences()).map(link -> quoted(link) + " : jump from_fenced"),
                    NamedBridgeChains.jumps(rules, "from_named"))
                .flatMap(all -> all))
        + map("sources", "iifname : verdict", onLinks(rules, _ -> true, "source"))
        + map(
            "inward",
            "iifname : verdict",
            Stream.concat(
                onLinks(rules, VlanRules::internal, "inward"),
                NamedBridgeChains.jumps(rules, "inward_named")))
        + map(
            "outward",
            "ip daddr : verdict\n    flags interval",
            vlans.stream()
                .filter(NftTable::masquerades)
                .map(v -> v.range() + " : jump outward_" + v.vni()));
  }

  private static Stream<String> arriving(FirewallRules rules, VlanRules vlan) {
    return Stream.concat(
        rules.ownBridges(vlan).map(bridge -> jump(bridge, "from_bridge", vlan)),
        Stream.of(jump(vlan.vxlan(), "from_peers", vlan)));
  }

  private static Stream<String> onLinks(
      FirewallRules rules, Predicate<VlanRules> which, String chain) {
    return rules.vlans().stream()
        .filter(which)
        .flatMap(vlan -> rules.ownLinks(vlan).stream().map(link -> jump(link, chain, vlan)));
  }

  private static String jump(String link, String chain, VlanRules vlan) {
    return "\"" + link + "\" : jump " + chain + "_" + vlan.vni();
  }
}
