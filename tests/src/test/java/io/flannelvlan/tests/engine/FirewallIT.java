package io.flannelvlan.tests.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.Leeway;
import io.flannelvlan.tests.lab.LogsOnFailure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Side by side with Docker's own rules, those of the user, and whoever deletes ours. */
@ExtendWith(LogsOnFailure.class)
final class FirewallIT {
  private static final Vlan ONE = new Vlan(1);
  private static final Vlan TWO = new Vlan(2);
  private static final Duration REPAIR = Leeway.over(Duration.ofSeconds(1));
  private static final Duration NAMED = Leeway.over(Duration.ofSeconds(2));
  private static final Duration SOON = Leeway.over(Duration.ofSeconds(1));

  private static Lab lab;
  private static List<Host> hosts = List.of();

  /** By host: everything that iptables held before there was any VLAN. */
  private static final Map<String, List<String>> DOCKERS_RULES = new TreeMap<>();

  /** In VLAN 1, one on each host. */
  private static final List<Container> ONES = new ArrayList<>();

  @BeforeAll
  static void boot() {
    lab = Lab.start();
    hosts = lab.hosts(Engine.DOCKER_28, Engine.DOCKER_20_10);
    for (Host host : hosts) {
      host.docker("network", "create", "mine");
      host.docker("network", "create", "--opt", "com.docker.network.bridge.name=b0", "named");
      host.run("plain-" + host.name(), "bridge");
      host.run("own-" + host.name(), "mine");
      host.run("named-" + host.name(), "named");
      DOCKERS_RULES.put(host.name(), iptables(host));
      host.plugin().start();
      ONE.createOn(host);
      ONES.add(host.run("one-" + host.name(), ONE.name()));
    }
    assertThat(ONES.get(0).reaches(ONES.get(1).address())).isTrue();
  }

  @AfterAll
  static void takeDown() {
    lab.close();
  }

  /** All tables of both families, without counters and dates. */
  private static List<String> iptables(Host host) {
    List<String> rules = new ArrayList<>();
    for (String tool : List.of("iptables-save", "ip6tables-save")) {
      host.in(tool)
          .orThrow()
          .out()
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.replaceAll("\\[\\d+:\\d+]", ""))
          .forEach(rules::add);
    }
    return rules;
  }

  private static List<String> withoutOurs(List<String> rules) {
    return rules.stream().filter(rule -> !rule.contains("FLANNELVLAN")).toList();
  }

  @Test
  void dockersRulesStayAsTheyWereExceptForOneChainOfOurs() {
    for (Host host : hosts) {
      List<String> rules = iptables(host);
      assertThat(withoutOurs(rules)).isEqualTo(DOCKERS_RULES.get(host.name()));
      assertThat(rules.stream().filter(rule -> rule.contains("FLANNELVLAN")))
          .containsExactly(
              ":FLANNELVLAN - ",
              "-A FORWARD -j FLANNELVLAN",
              "-A FLANNELVLAN -i fvbr.+ -j ACCEPT",
              "-A FLANNELVLAN -o fvbr.+ -j ACCEPT");
    }
  }

  @Test
  void nothingOfOursIsLeftWithTheLastNetwork() {
    Host other = lab.host(Engine.DOCKER_28);
    List<String> before = iptables(other);
    other.plugin().start();
    TWO.createOn(other);
    assertThat(iptables(other)).isNotEqualTo(before);
    TWO.removeFrom(other);
    Await.until(SOON, () -> "left: " + iptables(other), () -> iptables(other).equals(before));
    Await.until(SOON, () -> "the nft table is left", () -> !hasTable(other));
  }

  @Test
  void trafficPassesThoughDockerDropsWhatItDoesNotKnow() {
    for (Host host : hosts) {
      assertThat(iptables(host)).contains(":FORWARD DROP ");
      Container one = one(host);
      assertThat(Trials.downloads(List.of(one), Trials.addresses(ONES.toArray(Container[]::new))))
          .hasSize(2);
      assertThat(one.seenAs(lab.outside().address())).contains(host.address());
    }
  }

  private static Container one(Host host) {
    return ONES.stream().filter(one -> one.host() == host).findFirst().orElseThrow();
  }

  @Test
  void ruleOfTheUserComesBeforeOurs() {
    for (Host host : hosts) {
      Container one = one(host);
      String[] rule = {"DOCKER-USER", "-i", ONE.bridge(), "-o", "eth0", "-j", "DROP"};
      iptables(host, "-I", rule);
      assertThat(one.pings(lab.outside().address())).isFalse();
      assertThat(one.whoAnswers(ONES.get(0).address())).isPresent();
      assertThat(one.whoAnswers(ONES.get(1).address())).isPresent();
      iptables(host, "-D", rule);
      assertThat(one.pings(lab.outside().address())).isTrue();
    }
  }

  private static void iptables(Host host, String verb, String... rule) {
    List<String> words = new ArrayList<>(List.of("iptables", "--wait", verb));
    words.addAll(List.of(rule));
    host.in(words.toArray(String[]::new)).orThrow();
  }

  @Test
  void tableThatSomebodyDeletesComesBack() {
    for (Host host : hosts) {
      String before = table(host);
      host.in("nft", "delete", "table", "inet", "flannelvlan").orThrow();
      Await.until(REPAIR, () -> "the table is not back", () -> hasTable(host));
      assertThat(table(host)).isEqualTo(before);
      assertThat(one(host).seenAs(lab.outside().address())).contains(host.address());
    }
  }

  @Test
  void tableOfWhichSomebodyDeletesAPartIsWholeAgain() {
    for (Host host : hosts) {
      String before = table(host);
      host.in("nft", "flush", "chain", "inet", "flannelvlan", "forward").orThrow();
      Await.until(REPAIR, () -> "now: " + table(host), () -> table(host).equals(before));
    }
  }

  @Test
  void tableThatAnotherAgesNftWroteIsReadAndRepaired() {
    String script =
        "t=$(nft --stateless list table inet flannelvlan)"
            + " && printf 'delete table inet flannelvlan\\n%s\\n' \"$t\""
            + " | sed '/not ours/d' | nft -f -";
    for (Host host : hosts) {
      String before = table(host);
      host.withEnginesTools("bash", "-c", script).orThrow();
      Await.until(REPAIR, () -> "now: " + table(host), () -> table(host).equals(before));
    }
  }

  private static boolean hasTable(Host host) {
    return host.in("nft", "list", "table", "inet", "flannelvlan").ok();
  }

  private static String table(Host host) {
    return host.in("nft", "--stateless", "list", "table", "inet", "flannelvlan").orThrow().out();
  }

  @Test
  void chainThatSomebodyEmptiesOrUnhooksComesBack() {
    for (Host host : hosts) {
      List<String> before = iptables(host);
      iptables(host, "-F", "FLANNELVLAN");
      Await.until(REPAIR, () -> "now: " + iptables(host), () -> iptables(host).equals(before));
      iptables(host, "-D", "FORWARD", "-j", "FLANNELVLAN");
      Await.until(REPAIR, () -> "now: " + iptables(host), () -> iptables(host).equals(before));
      assertThat(one(host).pings(lab.outside().address())).isTrue();
    }
  }

  @Test
  void vlansAndDockersNetworksMeetByPublishedPortsOnly() {
    List<Container> dockers =
        hosts.stream()
            .flatMap(host ->
                Stream.of("plain-", "own-", "named-")
                    .map(name -> host.container(name + host.name())))
            .toList();
    Map<String, String> ones = Trials.addresses(ONES.toArray(Container[]::new));
    Map<String, String> others = Trials.addresses(dockers.toArray(Container[]::new));
    assertThat(Trials.pings(ONES, others)).isEmpty();
    assertThat(Trials.asks(ONES, others)).isEmpty();
    assertThat(Trials.pings(dockers, ones)).isEmpty();
    assertThat(Trials.asks(dockers, ones)).isEmpty();
    for (Host host : hosts) {
      Container ours = host.run("ours", ONE.name(), "--publish", "8080:80");
      Container theirs = host.run("theirs", "mine", "--publish", "8081:80");
      assertThat(Trials.finds(dockers, Map.of("ours", host.address() + ":8080"))).hasSize(6);
      assertThat(Trials.finds(ONES, Map.of("theirs", host.address() + ":8081"))).hasSize(2);
      ours.remove();
      theirs.remove();
    }
  }

  @Test
  void aBridgeOfDockersThatItsUserNamesIsKeptApartSoonAfterItCame() {
    for (Host host : lab.hosts(Engine.DOCKER_28, Engine.DOCKER_20_10)) {
      host.plugin().start();
      ONE.createOn(host);
      List<Container> here = List.of(host.run("here", ONE.name()));
      host.docker("network", "create", "--opt", "com.docker.network.bridge.name=b1", "later");
      Container later = host.run("later", "later");
      Await.until(NAMED, () -> "b1 is in no rule", () -> ruleset(host).contains("\"b1\""));
      assertThat(Trials.pings(here, Trials.addresses(later))).isEmpty();
      assertThat(Trials.asks(here, Trials.addresses(later))).isEmpty();
    }
  }

  private static String ruleset(Host host) {
    return host.in("nft", "list", "table", "inet", "flannelvlan").orThrow().out();
  }

  @Test
  void restartOfDockerLeavesOursBehindTheUsersRulesAndAtWork() {
    for (Host host : lab.hosts(Engine.DOCKER_28, Engine.DOCKER_20_10)) {
      host.plugin().start();
      ONE.createOn(host);
      host.run("lasting", ONE.name());
      host.dockerd().restart();
      List<String> forward =
          iptables(host).stream().filter(rule -> rule.startsWith("-A FORWARD")).toList();
      assertThat(forward).contains("-A FORWARD -j DOCKER-USER");
      assertThat(forward.indexOf("-A FORWARD -j FLANNELVLAN"))
          .isGreaterThan(forward.indexOf("-A FORWARD -j DOCKER-USER"));
      host.docker("start", "lasting");
      Container lasting = host.container("lasting");
      assertThat(lasting.reaches(lab.outside().address())).isTrue();
      assertThat(lasting.reaches(ONES.get(0).address())).isTrue();
      assertThat(ONES.get(1).reaches(lasting.address())).isTrue();
    }
  }
}
