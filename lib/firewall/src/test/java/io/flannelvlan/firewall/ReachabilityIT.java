package io.flannelvlan.firewall;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Who reaches whom, by real packets between two hosts. */
class ReachabilityIT {

  private static final Testbed bed = new Testbed();

  @BeforeAll
  static void firewall() {
    bed.firewall(new Nft());
  }

  @AfterAll
  static void close() {
    bed.close();
  }

  @Test
  void onlyTheVlansOwnMembersAndTheOutsideAreReachedByPing() {
    assertThat(Matrix.of(bed, Client::ping)).isEqualTo(Matrix.EXPECTED);
  }

  @Test
  void onlyTheVlansOwnMembersAndTheOutsideAreReachedByTcp() {
    assertThat(Matrix.of(bed, (from, to) -> Client.tcp(from, to, EchoServer.PORT)))
        .isEqualTo(Matrix.EXPECTED);
  }

  @Test
  void withoutTheFirewallTheVlansMix() {
    Nft nft = new Nft();
    bed.namespace("h1").in(nft::remove);
    bed.run("h1", "", "iptables-nft", "-P", "FORWARD", "ACCEPT");
    try {
      for (String target : List.of("10.2.20.5", "10.2.20.1", "10.3.20.5", "172.17.0.5")) {
        assertThat(Netns.result(Client.ping(bed.namespace("a1"), target))).isEqualTo("answered");
        assertThat(Netns.result(Client.ping(bed.namespace("rogue"), target))).isEqualTo("answered");
      }
    } finally {
      bed.run("h1", "", "iptables-nft", "-P", "FORWARD", "DROP");
      bed.firewall(nft);
    }
  }

  @Test
  void aVlanOfWhichOnlyTheLinksAreKnownIsFencedIn() {
    Nft nft = new Nft();
    List<VlanRules> others =
        Testbed.vlans().stream().filter(v -> !v.name().equals("vlan002")).toList();
    try {
      // Also where no other VLAN is known.
      for (List<VlanRules> known : List.of(others, List.<VlanRules>of())) {
        fence(nft, known);
        for (String target : List.of(Testbed.C2, Testbed.D, "10.2.20.1")) {
          assertThat(ping("c1", target)).as("c1 to %s", target).isEqualTo("answered");
        }
        assertThat(ping("d", Testbed.C1)).isEqualTo("answered");
        for (String target : List.of("10.1.20.5", "10.3.20.5", "172.17.0.5", Testbed.OUT)) {
          assertThat(ping("c1", target)).as("c1 to %s", target).isEqualTo(Client.NOTHING);
        }
        for (String from : List.of("a1", "i1", "k", "rogue", "out")) {
          assertThat(ping(from, Testbed.C1)).as("%s to c1", from).isEqualTo(Client.NOTHING);
        }
      }
      fence(nft, others);
      assertThat(ping("a1", "10.1.30.5")).isEqualTo("answered");
      for (String gateway : List.of("10.1.20.1", "10.3.20.1")) {
        assertThat(ping("c1", gateway)).as("c1 to %s", gateway).isEqualTo(Client.NOTHING);
      }
    } finally {
      bed.firewall(nft);
    }
  }

  private static void fence(Nft nft, List<VlanRules> known) {
    FirewallRules rules =
        new FirewallRules(
            known,
            List.of(),
            Set.of("docker0"),
            List.of(new Fence("vlan002", Set.of("fvbr.2"), Set.of("flannel.2"))));
    bed.apply("h1", nft, rules);
  }

  private static String ping(String from, String target) {
    return Netns.result(Client.ping(bed.namespace(from), target));
  }
}
