package io.flannelvlan.firewall;

import static java.util.stream.Collectors.joining;

import io.flannelvlan.firewall.NamedBridge.Member;
import io.flannelvlan.net.MacAddress;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The text of our second table, for frames on the named bridges; there is none without such a
 * bridge. Pure, and equal for equal rules.
 *
 * <p>The way of a frame: {@code prerouting} comes before the bridge learns who sits where, and is
 * where a container may be nobody but itself; {@code input} has what a bridge never forwards, and
 * learns from all the same; {@code forward} keeps the VLANs apart, also what is flooded; {@code
 * output} is the host's own word, which would be flooded too.
 *
 * <p>Ports are known by {@link PortGroup} alone, so other bridges, and the user's ports on this
 * one, pass by two comparisons and one for each VLAN on a named bridge. Ports of a VLAN that no
 * rule knows reach nobody.
 *
 * <p>Where a frame that nothing speaks for is dropped, rules compare by themselves: while the
 * kernel replaces a table, a lookup in a map or an interval set finds nothing for a moment.
 */
final class BridgeTable {

  /** First declared, so that deleting never fails. */
  private static final String DELETION =
      """
      table bridge %1$s
      delete table bridge %1$s
      """
          .formatted(NftTable.NAME);

  private BridgeTable() {}

  /** The script that replaces the table, or makes it, in one transaction; empty without bridges. */
  static String render(FirewallRules rules) {
    if (rules.named().isEmpty()) {
      return "";
    }
    List<Member> members = rules.members().toList();
    return DELETION
        + "table bridge "
        + NftTable.NAME
        + " {\n"
        + NftText.set(
            "stations", "ether saddr", members.stream().flatMap(BridgeTable::stations).distinct())
        + members.stream().map(BridgeTable::chains).collect(joining())
        + hooks(members);
  }

  /**
   * Priorities: -300, before br_netfilter (0), which would show a spoofed frame to others' rules.
   * By {@code ether type} a frame with an 802.1Q tag is neither ARP nor IPv4, by {@code meta
   * protocol} it is, as to the host if the tag is 0. 01:80:c2:00:00:0x are spanning tree and the
   * like: a bridge takes these past {@code prerouting}.
   */
  private static String hooks(List<Member> members) {
    List<String> addresses = members.stream().flatMap(m -> m.addresses().stream()).toList();
    return """
      chain from_foreign {
    %2$s  }

      chain to_foreign {
    %3$s  }

      chain prerouting {
        type filter hook prerouting priority -300; policy accept;
        meta priority %1$s drop comment "only for us to say"
    %4$s    iifgroup %7$s drop
        iifgroup %8$s drop
        goto from_foreign
      }

      chain input {
        type filter hook input priority -200; policy accept;
        iifgroup %7$s ether daddr & ff:ff:ff:ff:ff:f0 == 01:80:c2:00:00:00 drop
        iifgroup %8$s ether daddr & ff:ff:ff:ff:ff:f0 == 01:80:c2:00:00:00 drop
      }

      chain forward {
        type filter hook forward priority -200; policy accept;
        iifgroup != %7$s iifgroup != %8$s oifgroup != %7$s oifgroup != %8$s accept comment "not ours"
        meta priority %1$s accept comment "published ports and their replies"
    %5$s    drop comment "between VLANs"
      }

      chain output {
        type filter hook output priority -200; policy accept;
    %6$s    oifgroup %7$s drop
        oifgroup %8$s drop
        goto to_foreign
      }
    }
    """
        .formatted(
            NamedBridgeChains.TRANSLATED,
            lines(
                addresses.stream(),
                address ->
                    """
                        meta protocol arp arp saddr ip %1$s drop comment "spoofed"
                        meta protocol ip ip saddr %1$s drop comment "spoofed"
                    """
                        .formatted(address)),
            lines(
                addresses.stream(),
                address ->
                    """
                        ether type arp arp daddr ip %1$s drop
                        ether type ip ip daddr %1$s drop
                    """
                        .formatted(address)),
            lines(
                members.stream(),
                m -> "    iifgroup %d goto from_%s\n".formatted(group(m), m.vni())),
            lines(
                members.stream(),
                m -> "    iifgroup %1$d oifgroup %1$d accept\n".formatted(group(m))),
            lines(
                members.stream(), m -> "    oifgroup %d goto to_%s\n".formatted(group(m), m.vni())),
            PortGroup.all(),
            PortGroup.DOOMED);
  }

  private static <T> String lines(Stream<T> all, Function<T, String> line) {
    return all.map(line).collect(joining());
  }

  /** The script that removes the table, whether it is there or not. */
  static String deletion() {
    return DELETION;
  }

  private static int group(Member member) {
    return PortGroup.of(member.vni());
  }

  private static Stream<String> stations(Member member) {
    return member.stations().stream()
        .flatMap(all -> all.stream().map(MacAddress::toString).sorted());
  }

  private static String chains(Member member) {
    return member
            .stations()
            .map(_ -> NftText.set("stations_" + member.vni(), "ether saddr", stations(member)))
            .orElse("")
        + """
          # %2$s
          chain from_%1$s {
            ether saddr %3$s drop comment "spoofed"
        %4$s    drop
          }

          chain to_%1$s {
        %5$s    drop
          }

        """
            .formatted(
                member.vni(),
                NftText.comment(member.vlan()),
                // Of a VLAN behind a fence no more is known than who its containers are not.
                member.stations().isPresent() ? "!= @stations_" + member.vni() : "@stations",
                from(member.addresses()),
                to(member.addresses()));
  }

  /** 0.0.0.0 asks whether anybody has an address that is about to be taken. */
  private static String from(List<String> addresses) {
    return lines(
            Stream.concat(Stream.of("0.0.0.0"), addresses.stream()),
            from ->
                lines(
                    addresses.stream(),
                    to ->
                        "    ether type arp arp saddr ip %s arp daddr ip %s accept\n"
                            .formatted(from, to)))
        + lines(addresses.stream(), "    ether type ip ip saddr %s accept\n"::formatted);
  }

  private static String to(List<String> addresses) {
    return lines(
        addresses.stream(),
        address ->
            """
                ether type arp arp daddr ip %1$s accept
                ether type ip ip daddr %1$s accept
                ether type ip ip saddr %1$s ip daddr 224.0.0.0/4 accept
            """
                .formatted(address));
  }
}
