package io.flannelvlan.firewall;

import static java.util.stream.Collectors.joining;

import io.flannelvlan.net.IpAddress;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The text of our table for {@code nft -f}. Pure, and equal for equal rules.
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
          oifname @links ip saddr 127.0.0.0/8 masquerade comment "host to itself"
          oifname @links ct status dnat ip saddr @ranges masquerade comment "hairpin"
          oifname @links return
          ip saddr vmap @outward
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
        + publishedPorts(rules)
        + vlanMaps(vlans)
        + directChain(vlans)
        + CHAINS
        + inputChain(vlans)
        + "}\n";
  }

  /** The script that removes the table, whether it is there or not. */
  static String deletion() {
    return DELETION;
  }

  private static String sets(FirewallRules rules) {
    List<VlanRules> vlans = rules.vlans();
    return set(
            "links",
            "ifname",
            vlans.stream().flatMap(v -> v.links().stream()).map(NftTable::quoted))
        + set("bridged", "ifname . ifname", vlans.stream().map(v -> pair(v.bridge(), v.bridge())))
        + set("within", "ifname . ifname", vlans.stream().flatMap(NftTable::within))
        + set(
            "internal",
            "ifname",
            vlans.stream()
                .filter(VlanRules::internal)
                .flatMap(v -> v.links().stream())
                .map(NftTable::quoted))
        + set("docker", "ifname", rules.dockerLinks().stream().sorted().map(NftTable::quoted))
        + set(
            "ranges",
            "ipv4_addr\n    flags interval",
            vlans.stream().map(vlan -> vlan.range().toString()));
  }

  private static Stream<String> within(VlanRules vlan) {
    return Stream.of(
        pair(vlan.bridge(), vlan.vxlan()),
        pair(vlan.vxlan(), vlan.bridge()),
        pair(vlan.vxlan(), vlan.vxlan()));
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
        + outward(vlan)
        + vlan.peers().map(peers -> tunnel(vlan, peers)).orElse("");
  }

  /** Without a tunnel a peer's packets look like any from the underlay, but for their addresses. */
  private static String directChain(List<VlanRules> vlans) {
    return "  chain direct {\n"
        + vlans.stream()
            .flatMap(vlan -> vlan.direct().stream().map(link -> direct(vlan, link)))
            .collect(joining())
        + "  }\n\n";
  }

  private static String direct(VlanRules vlan, String link) {
    return """
        iifname . oifname { %1$s, %2$s } ip saddr %3$s ip daddr %3$s accept
    """
        .formatted(pair(link, vlan.bridge()), pair(vlan.bridge(), link), vlan.range());
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

  private static String tunnel(VlanRules vlan, Collection<IpAddress> peers) {
    return set(
            "peers_" + vlan.vni(),
            "ipv4_addr",
            peers.stream().filter(IpAddress::isIpv4).sorted().map(IpAddress::toString))
        + """
          chain tunnel_%1$s {
            ip saddr @peers_%1$s accept
            drop comment "not a peer's"
          }

        """
            .formatted(vlan.vni());
  }

  private static String inputChain(List<VlanRules> vlans) {
    return """

      chain input {
        type filter hook input priority -10; policy accept;
    %s    iifname vmap @sources
        iifname vmap @inward
      }
    """
        .formatted(tunnels(vlans));
  }

  /**
   * Encapsulated packets as they reach the host, judged by VNI. From the transport header: 8 bytes
   * UDP, then VXLAN's flags (1 byte) and 3 reserved bytes, then 3 bytes VNI: bits 96 to 119.
   */
  private static String tunnels(List<VlanRules> vlans) {
    List<VlanRules> guarded = vlans.stream().filter(vlan -> vlan.peers().isPresent()).toList();
    if (guarded.isEmpty()) {
      return "";
    }
    String ports =
        guarded.stream()
            .map(VlanRules::udpPort)
            .distinct()
            .sorted()
            .map(String::valueOf)
            .collect(joining(", "));
    String chains =
        guarded.stream().map(v -> v.vni() + " : jump tunnel_" + v.vni()).collect(joining(", "));
    return "    udp dport { " + ports + " } @th,96,24 vmap { " + chains + " }\n";
  }

  /** Ports of an internal VLAN are kept in mind by the caller, and reach nobody. */
  private static String publishedPorts(FirewallRules rules) {
    List<String> internal =
        rules.vlans().stream().filter(VlanRules::internal).map(VlanRules::name).toList();
    List<PublishedPort> ports =
        rules.ports().stream().filter(port -> !internal.contains(port.vlan())).toList();
    return map(
            "published_at",
            "ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service",
            ports.stream()
                .flatMap(port -> port.hostAddress().map(a -> a + " . " + target(port)).stream()))
        + map(
            "published",
            "inet_proto . inet_service : ipv4_addr . inet_service",
            ports.stream().filter(port -> port.hostAddress().isEmpty()).map(NftTable::target));
  }

  private static String target(PublishedPort port) {
    return "%s . %d : %s . %d"
        .formatted(port.protocol(), port.hostPort(), port.containerAddress(), port.containerPort());
  }

  private static String vlanMaps(List<VlanRules> vlans) {
    return map(
            "arriving",
            "ifname : verdict",
            vlans.stream()
                .flatMap(v ->
                    Stream.of(
                        jump(v.bridge(), "from_bridge", v), jump(v.vxlan(), "from_peers", v))))
        + map("sources", "ifname : verdict", onLinks(vlans, _ -> true, "source"))
        + map("inward", "ifname : verdict", onLinks(vlans, VlanRules::internal, "inward"))
        + map(
            "outward",
            "ipv4_addr : verdict\n    flags interval",
            vlans.stream()
                .filter(NftTable::masquerades)
                .map(v -> v.range() + " : jump outward_" + v.vni()));
  }

  private static Stream<String> onLinks(
      List<VlanRules> vlans, Predicate<VlanRules> which, String chain) {
    return vlans.stream()
        .filter(which)
        .flatMap(vlan -> vlan.links().stream().map(link -> jump(link, chain, vlan)));
  }

  private static String jump(String link, String chain, VlanRules vlan) {
    return "\"" + link + "\" : jump " + chain + "_" + vlan.vni();
  }

  private static String pair(String in, String out) {
    return "\"" + in + "\" . \"" + out + "\"";
  }

  private static String quoted(String link) {
    return "\"" + link + "\"";
  }

  /** A comment ends with its line, so a name must not contain another. */
  private static String comment(String name) {
    return name.replaceAll("[^ -~]", "?");
  }

  private static String set(String name, String type, Stream<String> elements) {
    return collection("set", name, type, elements);
  }

  private static String map(String name, String type, Stream<String> elements) {
    return collection("map", name, type, elements);
  }

  private static String collection(String kind, String name, String type, Stream<String> elements) {
    List<String> all = elements.toList();
    String content =
        all.isEmpty()
            ? ""
            : all.stream().collect(joining(",\n      ", "    elements = {\n      ", "\n    }\n"));
    return "  " + kind + " " + name + " {\n    type " + type + "\n" + content + "  }\n\n";
  }
}
