package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static io.flannelvlan.tests.rules.Site.at;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Result;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Which subnet a host gets of a VLAN, and which addresses its containers. Every test has subnets of
 * its own: a freed address comes last, also when the network was made anew.
 */
@ExtendWith(LogsOnFailure.class)
final class AddressRulesIT {
  private static final String VLAN001 = "--subnet 10.1.0.0/16 --opt vni=1 ";

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
  void ipRangePicksTheHostsSubnet() {
    site.create(newer, OURS + VLAN001 + "--ip-range 10.1.20.0/24 vlan001");
    assertThat(site.lease(newer, "vlan001")).isEqualTo("10.1.20.0/24");
    assertThat(newer.run("c1", "vlan001").address()).isEqualTo("10.1.20.2");

    assertThat(site.refused(older, OURS + VLAN001 + "--ip-range 10.1.20.0/24 vlan001"))
        .contains("10.1.20.0/24", newer.address());
    assertThat(site.refused(older, OURS + VLAN001 + "--ip-range 10.1.20.128/25 vlan001"))
        .contains("10.1.20.0/24", newer.address());
    site.create(older, OURS + VLAN001 + "--ip-range 10.1.64.0/20 vlan001");
    assertThat(Integer.parseInt(site.lease(older, "vlan001").split("\\.", -1)[2]))
        .isBetween(64, 79);
  }

  @Test
  void ipRangeSmallerThanASubnetConfinesTheContainersToIt() {
    site.create(older, OURS + VLAN001 + "--ip-range 10.1.30.64/30 vlan001");
    assertThat(site.lease(older, "vlan001")).isEqualTo("10.1.30.0/24");
    for (int i = 64; i < 68; i++) {
      assertThat(older.run("c" + i, "vlan001").address()).isEqualTo("10.1.30." + i);
    }
    assertThat(start(older, "late").err()).contains("--ip-range 10.1.30.64/30", "vlan001");
    assertThat(older.container("c65").pings("10.1.30.67")).isTrue();
  }

  @Test
  void ipRangeOutsideTheVlanIsRefused() {
    // Engines from 25 on say so themselves.
    assertThat(site.refused(older, OURS + VLAN001 + "--ip-range 10.2.0.0/24 x"))
        .contains("10.2.0.0/24");
    assertThat(site.refused(newer, OURS + VLAN001 + "--ip-range 10.2.0.0/24 x"))
        .contains("10.2.0.0/24");
    // flannel gives nobody the first subnet.
    assertThat(site.refused(older, OURS + VLAN001 + "--ip-range 10.1.0.0/24 x"))
        .contains("10.1.0.0/24", "10.1.1.0");
  }

  @Test
  void gatewayOtherThanTheLeasesFirstAddressIsRefusedWithTheReason() {
    for (Host host : List.of(newer, older)) {
      assertThat(site.refused(host, OURS + VLAN001 + "--gateway 10.1.0.1 x"))
          .contains("--gateway 10.1.0.1", "first address of its subnet", "--ip-range");
      String chosen = OURS + VLAN001 + "--ip-range 10.1.60.0/24 ";
      assertThat(site.refused(host, chosen + "--gateway 10.1.60.254 x"))
          .contains("--gateway 10.1.60.254", "10.1.60.1");
      site.create(host, chosen + "--gateway 10.1.60.1 x");
      assertThat(host.run("c1", "x").in("ip", "route").out())
          .contains("default via 10.1.60.1 dev eth0", "10.1.0.0/16 via 10.1.60.1 dev eth0");
      host.docker("rm", "--force", "c1");
      host.docker("network", "rm", "x");
    }
  }

  @Test
  void auxAddressIsNeverGivenToAContainer() {
    String chosen = OURS + VLAN001 + "--ip-range 10.1.50.0/24 ";
    for (Host host : List.of(newer, older)) {
      site.create(host, chosen + "--aux-address dns=10.1.50.2 --aux-address ntp=10.1.50.4 x");
      assertThat(host.run("c1", "x").address()).isEqualTo("10.1.50.3");
      assertThat(host.run("c2", "x").address()).isEqualTo("10.1.50.5");
      assertThat(start(host, "c3", "--ip", "10.1.50.2").err()).contains("10.1.50.2");
      host.docker("rm", "--force", "c1", "c2");
      host.docker("network", "rm", "x");
    }
    assertThat(site.refused(newer, chosen + "--aux-address dns=10.1.51.2 x"))
        .contains("10.1.51.2", "10.1.50.0/24");
  }

  @Test
  void aHostThatIsFullTakesAFurtherSubnetAndAVlanThatIsFullSaysWhoHoldsHowMany() {
    // Of four subnets with five addresses each, flannel leaves the first one out.
    site.etcd()
        .put(
            "/coreos.com/network/small/config",
            "{\"Network\":\"10.8.0.0/27\",\"SubnetLen\":29,"
                + "\"Backend\":{\"Type\":\"vxlan\",\"VNI\":8}}");
    for (Host host : List.of(newer, older)) {
      site.create(host, OURS + "--subnet 10.8.0.0/27 small");
    }
    for (int i = 0; i < 10; i++) {
      newer.run("n" + i, "small");
    }
    assertThat(site.leases(newer, "small")).hasSize(2);
    Container far = older.run("o0", "small");
    assertThat(newer.container("n9").reaches(far.address())).isTrue();
    assertThat(newer.container("n9").reaches(newer.container("n0").address())).isTrue();
    Result full = newer.tryDocker("run", "--rm", "--network", "small", "bb", "true");
    assertThat(full.ok()).isFalse();
    assertThat(full.err())
        .contains("5 of 5", newer.address() + " holds 10", older.address() + " holds 1")
        .contains("Remove containers");
    newer.container("n3").remove();
    assertThat(newer.run("late", "small").reaches(far.address())).isTrue();
  }

  @Test
  void fixedAddressIsGivenOnlyIfItIsThisHostsAndFree() {
    site.create(newer, OURS + VLAN001 + "--ip-range 10.1.20.0/24 x");
    site.create(older, OURS + VLAN001 + "--ip-range 10.1.30.0/24 x");
    for (Host host : List.of(newer, older)) {
      String lease = site.lease(host, "vlan001");
      Container fixed = host.run("fixed", "x", "--ip", at(lease, 77));
      assertThat(fixed.address()).isEqualTo(at(lease, 77));
      assertThat(start(host, "late", "--ip", at(lease, 77)).err())
          .contains(at(lease, 77), "in use");
      assertThat(start(host, "late", "--ip", at(lease, 1)).err()).contains(at(lease, 1), "gateway");
      assertThat(start(host, "late", "--ip", at(lease, 0)).err()).contains(at(lease, 0), "tunnel");
      assertThat(start(host, "late", "--ip", at(lease, 255)).err())
          .contains(at(lease, 255), "broadcast");
    }
    assertThat(start(newer, "late", "--ip", "10.1.30.9").err())
        .contains("10.1.30.9", "10.1.30.0/24", older.address(), "10.1.20.0/24");
    assertThat(start(older, "late", "--ip", "10.1.99.9").err())
        .contains("10.1.99.9", "no host has", "10.1.30.0/24");
    assertThat(newer.container("fixed").reaches("10.1.30.77")).isTrue();
  }

  @Test
  void macAddressIsTheAskedOneElseMadeOfTheAddress() {
    for (Host host : List.of(newer, older)) {
      site.create(host, OURS + VLAN001 + "x");
      Container asked = host.run("asked", "x", "--mac-address", "02:42:ac:11:00:99");
      assertThat(asked.in("ip", "link", "show", "eth0").out()).contains("02:42:ac:11:00:99");
      Container made = host.run("made", "x");
      String[] bytes = made.address().split("\\.", -1);
      assertThat(made.in("ip", "link", "show", "eth0").out())
          .contains(
              "0a:58:0a:01:%02x:%02x"
                  .formatted(Integer.parseInt(bytes[2]), Integer.parseInt(bytes[3])));
      assertThat(asked.pings(made.address())).isTrue();
    }
  }

  @Test
  void freedAddressComesBackOnlyWhenTheOthersWereUsed() {
    site.create(newer, OURS + VLAN001 + "--ip-range 10.1.40.0/29 x");
    newer.run("c2", "x");
    newer.run("c3", "x").remove();
    for (int i = 4; i < 8; i++) {
      assertThat(newer.run("c" + i, "x").address()).isEqualTo("10.1.40." + i);
    }
    newer.container("c2").remove();
    assertThat(newer.run("again3", "x").address()).isEqualTo("10.1.40.3");
    assertThat(newer.run("again2", "x").address()).isEqualTo("10.1.40.2");
    assertThat(site.etcd().keys("/flannelvlan/addresses/vlan001/")).hasSize(6);
  }

  @Test
  void hostThatComesBackGetsItsSubnetAgain() {
    site.create(newer, OURS + VLAN001 + "x");
    String lease = site.lease(newer, "vlan001");
    newer.docker("network", "rm", "x");
    site.nothingRemains(newer);
    assertThat(site.vlans()).containsExactly("vlan001");
    site.create(newer, OURS + VLAN001 + "x");
    assertThat(site.lease(newer, "vlan001")).isEqualTo(lease);
  }

  @Test
  void leaseOfALostStateDirectoryIsTakenAgain() {
    site.etcd().put("/coreos.com/network/vlan001/config", Site.config("10.1.0.0/16", 1));
    site.etcd()
        .put(
            "/coreos.com/network/vlan001/subnets/10.1.44.0-24",
            "{\"PublicIP\":\"%s\",\"BackendType\":\"vxlan\",\"BackendData\":{\"VNI\":1,\"VtepMAC\":\"0a:01:02:03:04:05\"}}"
                .formatted(older.address()));
    site.create(older, OURS + VLAN001 + "x");
    assertThat(site.lease(older, "vlan001")).isEqualTo("10.1.44.0/24");
    assertThat(older.in("ip", "link", "show", "flannel.1").out()).contains("0a:01:02:03:04:05");
  }

  /** A container that is expected not to start. */
  private static Result start(Host host, String name, String... options) {
    String line = "docker run --rm --name " + name + " --network ";
    String network =
        host.docker("network", "ls", "--quiet", "--filter", "driver=flannelvlan").text();
    Result result = site.type(host, line + network + " " + String.join(" ", options) + " bb true");
    assertThat(result.ok()).as(result.toString()).isFalse();
    host.tryDocker("rm", "--force", name);
    return result;
  }
}
