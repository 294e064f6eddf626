package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static io.flannelvlan.tests.rules.Site.at;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LogsOnFailure;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Networks without {@code --ipam-driver flannelvlan}: the safe ones work, others are refused. */
@ExtendWith(LogsOnFailure.class)
final class DockerIpamIT {
  private static final String DOCKERS = "-d flannelvlan ";
  private static final Pattern COMMAND =
      Pattern.compile("docker network create(?: --?[a-z-]+[ =][^ ]+)* [a-z0-9]+");

  private static Site site;
  private static Host newer;
  private static Host older;

  @BeforeAll
  static void boot() {
    site = new Site(Engine.DOCKER_28, Engine.DOCKER_20_10);
    newer = site.host(1);
    older = site.host(2);
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @AfterEach
  void clear() {
    site.requireInvariantsAndClear();
  }

  @Test
  void oneFreeSubnetOfTheVlanBecomesTheHostsLeaseAndWorksAcrossHosts() {
    site.makeByHand("vlan002", "10.2.0.0/16", 2);
    site.create(newer, DOCKERS + "--subnet 10.2.20.0/24 --opt vni=2 x");
    site.create(older, DOCKERS + "--subnet 10.2.30.0/24 x");
    assertThat(site.lease(newer, "vlan002")).isEqualTo("10.2.20.0/24");
    assertThat(site.lease(older, "vlan002")).isEqualTo("10.2.30.0/24");
    Container near = newer.run("near", "x");
    Container far = older.run("far", "x", "--ip", "10.2.30.99");
    assertThat(near.address()).isEqualTo("10.2.20.2");
    assertThat(near.reaches(far.address())).isTrue();
    assertThat(far.seenAs(near.address() + ":80")).contains("10.2.30.99");
    assertThat(near.seenAs(site.lab().outside().address())).contains(newer.address());
    assertThat(site.etcd().keys("/flannelvlan/addresses/vlan002/"))
        .contains(
            "/flannelvlan/addresses/vlan002/10.2.20.2",
            "/flannelvlan/addresses/vlan002/10.2.30.99");
  }

  @Test
  void addressThatDockerGivesAgainIsTheNextContainers() {
    site.makeByHand("vlan002", "10.2.0.0/16", 2);
    for (Host host : List.of(newer, older)) {
      String third = host == newer ? "20" : "30";
      site.create(host, DOCKERS + "--subnet 10.2." + third + ".0/24 x");
      for (int i = 0; i < 3; i++) {
        Container one = host.run("one", "x", "--ip", "10.2." + third + ".50");
        assertThat(one.pings("10.2." + third + ".1")).isTrue();
        one.remove();
      }
    }
  }

  @Test
  void anythingElseIsRefusedWithBothCommandsAndEitherWorksWhenPasted() {
    site.makeByHand("vlan002", "10.2.0.0/16", 2);
    for (Host host : List.of(newer, older)) {
      for (String wrong :
          List.of(
              "--subnet 10.2.0.0/16 --opt vni=2 vlan002",
              "--subnet 10.2.20.0/23 vlan002",
              "--subnet 10.2.20.0/25 --opt network=vlan002 vlan002",
              "--subnet 10.2.0.0/24 vlan002",
              "--subnet 10.9.0.0/24 --opt vni=2 vlan002",
              "--opt vni=2 vlan002")) {
        List<String> right = commands(site.refused(host, DOCKERS + wrong));
        assertThat(right).as(wrong).hasSize(2);
        assertThat(right.get(0)).contains("--ipam-driver flannelvlan", "--subnet 10.2.0.0/16");
        assertThat(right.get(1)).doesNotContain("--ipam-driver");
      }
      for (String right : commands(site.refused(host, DOCKERS + "--opt vni=2 x"))) {
        site.type(host, right).orThrow();
        host.run("pasted", "vlan002").remove();
        host.docker("network", "rm", "vlan002");
      }
    }
  }

  @Test
  void anotherHostsSubnetIsRefusedNamingTheHost() {
    site.makeByHand("blue", "10.2.0.0/16", 7);
    site.create(newer, DOCKERS + "--subnet 10.2.1.0/24 x");
    String refusal = site.refused(older, DOCKERS + "--subnet 10.2.1.0/24 x");
    assertThat(refusal).contains("10.2.1.0/24 is host " + newer.address());
    List<String> right = commands(refusal);
    assertThat(right).hasSize(2);
    assertThat(right.get(1)).contains("--subnet 10.2.2.0/24");
    for (String command : right) {
      site.type(older, command).orThrow();
      older.docker("network", "rm", "blue");
    }
  }

  @Test
  void oneSubnetHasOneIpam() {
    site.makeByHand("vlan002", "10.2.0.0/16", 2);
    site.create(newer, OURS + "--subnet 10.2.0.0/16 ours");
    String lease = site.lease(newer, "vlan002");
    String refusal = site.refused(newer, DOCKERS + "--subnet " + lease + " --opt vni=2 x");
    assertThat(refusal).contains("vlan002", "flannelvlan's own IPAM");
    assertThat(commands(refusal)).hasSize(1);
    site.type(newer, commands(refusal).getFirst()).orThrow();

    site.create(older, DOCKERS + "--subnet 10.2.240.0/24 dockers");
    assertThat(site.refused(older, OURS + "--subnet 10.2.0.0/16 x"))
        .contains("vlan002", "Docker's own IPAM", "remove it first");
    assertThat(site.refused(older, DOCKERS + "--subnet 10.2.241.0/24 x"))
        .contains("10.2.240.0/24", "Docker's own IPAM");
    older.docker("network", "rm", "dockers");
    site.create(older, OURS + "--subnet 10.2.0.0/16 x");
  }

  @Test
  void plainCreateIsRefusedWithACommandThatWorks() {
    site.makeByHand("taken", "10.1.0.0/16", 8);
    for (Host host : List.of(newer, older)) {
      for (String plain :
          List.of("x", "--opt vni=5 x", "--opt network=green x", "--subnet 10.50.0.0/16 x")) {
        String refusal = site.refused(host, DOCKERS + plain);
        assertThat(refusal).contains("--ipam-driver flannelvlan");
        List<String> right = commands(refusal);
        assertThat(right).as(refusal).hasSize(1);
        site.type(host, right.getFirst()).orThrow();
        String made = right.getFirst().replaceAll(".* ", "");
        host.run("pasted", made).remove();
        host.docker("network", "rm", made);
        site.nothingRemains(host);
        site.etcd().delete("/coreos.com/network/" + made + "/config");
      }
    }
  }

  @Test
  void gatewayMustBeTheSubnetsFirstAddress() {
    site.makeByHand("vlan002", "10.2.0.0/16", 2);
    String subnet = DOCKERS + "--subnet 10.2.20.0/24 ";
    assertThat(site.refused(newer, subnet + "--gateway 10.2.20.254 x"))
        .contains("--gateway 10.2.20.254", "10.2.20.1");
    site.create(newer, subnet + "--gateway 10.2.20.1 x");
    assertThat(newer.run("c1", "x").pings(at("10.2.20.0/24", 1))).isTrue();
  }

  private static List<String> commands(String refusal) {
    return COMMAND.matcher(refusal).results().map(match -> match.group()).toList();
  }
}
