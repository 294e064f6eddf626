package io.flannelvlan.firewall;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What is written for what stands there. */
class FilterTableTest {

  private static final List<Passage> BRIDGES = List.of(Passage.of("fvbr.2"), Passage.of("fvbr.1"));

  private static final String OWN_RULES =
      """
      -A FLANNELVLAN -i fvbr.1 -j ACCEPT
      -A FLANNELVLAN -o fvbr.1 -j ACCEPT
      -A FLANNELVLAN -i fvbr.2 -j ACCEPT
      -A FLANNELVLAN -o fvbr.2 -j ACCEPT
      """;

  @Test
  void anEmptyForwardThatAcceptsIsLeftAlone() {
    assertThat(FilterTable.parse("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n").repair(BRIDGES))
        .isEmpty();
    assertThat(FilterTable.parse("").repair(BRIDGES)).isEmpty();
    assertThat(FilterTable.parse("").removal()).isEmpty();
  }

  @Test
  void firstPutStandsAtTheTopWithoutDocker() {
    assertThat(FilterTable.parse(":FORWARD DROP [0:0]\n").repair(BRIDGES))
        .contains(
            "*filter\n:FLANNELVLAN - [0:0]\n"
                + OWN_RULES
                + "-I FORWARD 1 -j FLANNELVLAN\nCOMMIT\n");
  }

  @Test
  void firstPutStandsBehindTheUsersChain() {
    assertThat(
            FilterTable.parse(
                    """
                    :FORWARD DROP [0:0]
                    -A FORWARD -i lo -j ACCEPT
                    -A FORWARD -j DOCKER-USER
                    -A FORWARD -j DOCKER-FORWARD
                    """)
                .repair(BRIDGES)
                .orElseThrow())
        .contains("-I FORWARD 3 -j FLANNELVLAN\n");
  }

  @Test
  void whatDockerPutsAboveLaterIsNoReasonToMove() {
    assertThat(
            FilterTable.parse(
                    ":FORWARD DROP [0:0]\n:FLANNELVLAN - [0:0]\n-A FORWARD -j DOCKER-USER\n"
                        + "-A FORWARD -j DOCKER-FORWARD\n-A FORWARD -j FLANNELVLAN\n"
                        + OWN_RULES)
                .repair(BRIDGES))
        .isEmpty();
  }

  @Test
  void forABridgeOfDockersItStandsBeforeWhatDockerPutAboveAndMovesThereAgain() {
    String docker =
        """
        :FORWARD DROP [0:0]
        :FLANNELVLAN - [0:0]
        -A FORWARD -j DOCKER-USER
        -A FORWARD -j DOCKER-FORWARD
        -A FORWARD -j FLANNELVLAN
        """;
    String plainRules =
        """
        -A FLANNELVLAN -i docker0 ! -o docker0 -j ACCEPT
        -A FLANNELVLAN ! -i docker0 -o docker0 -j ACCEPT
        """;
    assertThat(FilterTable.parse(docker + OWN_RULES).repair(BRIDGES, List.of("docker0")))
        .contains(
            "*filter\n:FLANNELVLAN - [0:0]\n"
                + OWN_RULES
                + plainRules
                + "-D FORWARD -j FLANNELVLAN\n-I FORWARD 2 -j FLANNELVLAN\nCOMMIT\n");
    String placed =
        """
        :FORWARD DROP [0:0]
        :FLANNELVLAN - [0:0]
        -A FORWARD -i lo -j ACCEPT
        -A FORWARD -j DOCKER-USER
        -A FORWARD -j FLANNELVLAN
        -A FORWARD -j DOCKER-ISOLATION-STAGE-1
        -A FORWARD -o docker0 -j DOCKER
        """;
    assertThat(
            FilterTable.parse(placed + OWN_RULES + plainRules).repair(BRIDGES, List.of("docker0")))
        .isEmpty();
  }

  @Test
  void twiceOrBeforeTheUsersChainIsPutRight() {
    assertThat(
            FilterTable.parse(
                    ":FORWARD DROP [0:0]\n:FLANNELVLAN - [0:0]\n-A FORWARD -j FLANNELVLAN\n"
                        + "-A FORWARD -j DOCKER-USER\n-A FORWARD -j FLANNELVLAN\n"
                        + OWN_RULES)
                .repair(BRIDGES)
                .orElseThrow())
        .endsWith(
            """
            -D FORWARD -j FLANNELVLAN
            -D FORWARD -j FLANNELVLAN
            -I FORWARD 2 -j FLANNELVLAN
            COMMIT
            """);
  }

  @Test
  void removalTakesJumpsAndChain() {
    assertThat(
            FilterTable.parse(
                    ":FORWARD DROP [0:0]\n:FLANNELVLAN - [0:0]\n-A FORWARD -j FLANNELVLAN\n"
                        + OWN_RULES)
                .removal())
        .contains(
            "*filter\n:FLANNELVLAN - [0:0]\n-D FORWARD -j FLANNELVLAN\n-X FLANNELVLAN\nCOMMIT\n");
  }
}
