package io.flannelvlan.firewall;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Our chain beside Docker's, on a FORWARD that drops, for both kinds of iptables. */
class ForwardHookIT {

  private static final Testbed bed = new Testbed();
  private static final Set<Passage> BRIDGES = Testbed.rules().passages();

  private final ForwardHook hook = new ForwardHook();

  @BeforeEach
  void firewall() {
    bed.docker("h1");
    bed.firewall(new Nft());
  }

  @AfterAll
  static void close() {
    bed.close();
  }

  @Test
  void theChainStandsBehindTheUsersRulesAndNothingElseChanges() {
    assertThat(forward("iptables-nft", "h1"))
        .containsExactly(
            "-P FORWARD DROP",
            "-A FORWARD -j DOCKER-USER",
            "-A FORWARD -j FLANNELVLAN",
            "-A FORWARD -j DOCKER-FORWARD");
    assertThat(at("h1", () -> hook.apply(BRIDGES))).isFalse();
    assertThat(at("h1", hook::remove)).isTrue();
    assertThat(forward("iptables-nft", "h1"))
        .containsExactly(
            "-P FORWARD DROP", "-A FORWARD -j DOCKER-USER", "-A FORWARD -j DOCKER-FORWARD");
    assertThat(bed.run("h1", "", "iptables-nft-save")).doesNotContain("FLANNELVLAN");
    assertThat(at("h1", hook::remove)).isFalse();
  }

  @Test
  void withoutTheChainDockersPolicyDropsOurTraffic() {
    assertThat(reached("a1", Testbed.OUT)).isTrue();
    at("h1", hook::remove);
    assertThat(reached("a1", Testbed.OUT)).isFalse();
  }

  @Test
  void aUsersRuleInDockerUserIsObeyed() {
    bed.run("h1", "", "iptables-nft", "-A", "DOCKER-USER", "-i", "fvbr.1", "-j", "DROP");
    assertThat(reached("a1", Testbed.OUT)).isFalse();
    assertThat(reached("c1", Testbed.OUT)).isTrue();
    bed.run("h1", "", "iptables-nft", "-F", "DOCKER-USER");
    assertThat(reached("a1", Testbed.OUT)).isTrue();
  }

  @Test
  void damageIsNoticedAndRepaired() {
    for (String[] damage :
        List.of(
            new String[] {"-F", "FORWARD"},
            new String[] {"-F", "FLANNELVLAN"},
            new String[] {"-D", "FLANNELVLAN", "2"},
            new String[] {"-I", "FLANNELVLAN", "-i", "fvbr.1", "-j", "DROP"},
            new String[] {"-I", "FORWARD", "-j", "FLANNELVLAN"},
            new String[] {"-A", "FORWARD", "-j", "FLANNELVLAN"})) {
      bed.run("h1", "", "iptables-nft", damage);
      assertThat(at("h1", () -> hook.isCurrent(BRIDGES))).as(String.join(" ", damage)).isFalse();
      assertThat(at("h1", () -> hook.apply(BRIDGES))).isTrue();
      assertThat(at("h1", () -> hook.isCurrent(BRIDGES))).isTrue();
      assertThat(reached("a1", Testbed.OUT)).isTrue();
    }
  }

  @Test
  void bridgesThatWentAreForgotten() {
    assertThat(at("h1", () -> hook.apply(Set.of(Passage.of("fvbr.2"))))).isTrue();
    assertThat(bed.run("h1", "", "iptables-nft", "-S", "FLANNELVLAN").lines())
        .containsExactly(
            "-N FLANNELVLAN",
            "-A FLANNELVLAN -i fvbr.2 -j ACCEPT",
            "-A FLANNELVLAN -o fvbr.2 -j ACCEPT");
  }

  @Test
  void legacyTablesAreServedToo() {
    bed.run("out", "", "iptables-legacy", "-P", "FORWARD", "DROP");
    assertThat(at("out", () -> hook.isCurrent(BRIDGES))).isFalse();
    assertThat(at("out", () -> hook.apply(BRIDGES))).isTrue();
    assertThat(at("out", () -> hook.apply(BRIDGES))).isFalse();
    assertThat(forward("iptables-legacy", "out"))
        .containsExactly("-P FORWARD DROP", "-A FORWARD -j FLANNELVLAN");
    assertThat(at("out", hook::remove)).isTrue();
    assertThat(bed.run("out", "", "iptables-legacy-save")).doesNotContain("FLANNELVLAN");
  }

  @Test
  void whereIptablesIsNotUsedItStaysUnused() {
    assertThat(at("rogue", () -> hook.apply(BRIDGES))).isFalse();
    assertThat(at("rogue", () -> hook.isCurrent(BRIDGES))).isTrue();
    assertThat(bed.run("rogue", "", "nft", "list", "tables")).isEmpty();
    assertThat(bed.run("rogue", "", "cat", "/proc/thread-self/net/ip_tables_names")).isEmpty();
  }

  private static boolean at(String node, Callable<Boolean> work) {
    return bed.namespace(node).in(work);
  }

  private static List<String> forward(String program, String node) {
    return bed.run(node, "", program, "-S", "FORWARD").lines().toList();
  }

  private static boolean reached(String from, String to) {
    return !Netns.result(Client.tcp(bed.namespace(from), to, EchoServer.PORT))
        .equals(Client.NOTHING);
  }
}
