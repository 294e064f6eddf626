package io.flannelvlan.firewall;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.net.IpAddress;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Our table in the kernel: put, compared, repaired and removed. */
class NftIT {

  private static final Testbed bed = new Testbed();

  private static final PublishedPort PORT =
      new PublishedPort(
          Protocol.TCP, Optional.empty(), 8080, IpAddress.parse(Testbed.C1), 9100, "vlan002");

  private final Nft nft = new Nft();

  @BeforeEach
  void firewall() {
    bed.firewall(nft, PORT);
  }

  @AfterAll
  static void close() {
    bed.close();
  }

  @Test
  void equalRulesAreNotAppliedTwice() {
    assertThat(apply(Testbed.rules(PORT))).isFalse();
    assertThat(apply(Testbed.rules())).isTrue();
    assertThat(apply(Testbed.rules())).isFalse();
  }

  @Test
  void whatOthersChangedIsNoticedAndRepaired() {
    for (String[] change :
        new String[][] {
          {"flush", "chain", "inet", "flannelvlan", "forward"},
          {"delete", "element", "inet", "flannelvlan", "links", "{", "fvbr.2", "}"},
          {"add", "rule", "inet", "flannelvlan", "input", "accept"},
          {"delete", "table", "inet", "flannelvlan"},
          {"flush", "ruleset"}
        }) {
      bed.run("h1", "", "nft", change);
      assertThat(isCurrent(Testbed.rules(PORT))).as(String.join(" ", change)).isFalse();
      assertThat(apply(Testbed.rules(PORT))).isTrue();
      assertThat(isCurrent(Testbed.rules(PORT))).isTrue();
    }
  }

  @Test
  void whatIsFlushedRightAfterItWasLoadedIsNotTakenForLoaded() {
    for (int i = 0; i < 30; i++) {
      PublishedPort[] ports = i % 2 == 0 ? new PublishedPort[] {PORT} : new PublishedPort[0];
      FutureTask<Boolean> flush =
          bed.namespace("h1")
              .start(() -> {
                Nft.run("flush", "flush ruleset\n");
                return true;
              });
      apply(Testbed.rules(ports));
      assertThat(Netns.result(flush)).isTrue();
      apply(Testbed.rules(ports));
      assertThat(bed.run("h1", "", "nft", "list", "tables")).contains("inet flannelvlan");
    }
  }

  @Test
  void withoutVlansNothingStays() {
    assertThat(apply(FirewallRules.NONE)).isTrue();
    assertThat(bed.run("h1", "", "nft", "list", "tables")).doesNotContain("flannelvlan");
    assertThat(isCurrent(FirewallRules.NONE)).isTrue();
    assertThat(bed.namespace("h1").in(nft::remove)).isFalse();
  }

  @Test
  void refusalCarriesNftsWordsAndChangesNothing() {
    String before = table();
    assertThatThrownBy(() ->
            bed.namespace("h1")
                .in(() -> {
                  Nft.run("replace", NftTable.deletion() + "table inet x { nonsense }\n");
                  return true;
                }))
        .isInstanceOf(FirewallException.class)
        .hasMessageContaining("replace table inet flannelvlan")
        .hasMessageContaining(":3:16-23: Error: syntax error, unexpected string")
        .hasMessageContaining("table inet x { nonsense }");
    assertThat(table()).isEqualTo(before);
  }

  private boolean apply(FirewallRules rules) {
    return bed.namespace("h1").in(() -> nft.apply(rules));
  }

  private boolean isCurrent(FirewallRules rules) {
    return bed.namespace("h1").in(() -> nft.isCurrent(rules));
  }

  private static String table() {
    return bed.run("h1", "", "nft", "list", "table", "inet", "flannelvlan");
  }
}
