package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Leeway;
import io.flannelvlan.tests.lab.LogsOnFailure;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A host that is found at another address, or by another link, is followed by its VLANs. */
@ExtendWith(LogsOnFailure.class)
final class UnderlayIT {
  private static final String VLAN001 = OURS + "--subnet 10.1.0.0/16 --opt vni=1 vlan001";
  private static final String FORMER = "198.51.100.11";
  private static final String LATTER = "198.51.100.61";
  private static final String GATEWAY = "ip route replace default via 198.51.100.254";

  /** From the change to the first answered ping, of which one waits up to a second. */
  private static final Duration SOON = Leeway.over(Duration.ofSeconds(3));

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private static Site site;
  private static Host mover;
  private static Host other;

  private Container near;
  private Container far;
  private String key;
  private String mac;

  @BeforeAll
  static void boot() {
    site = new Site(Engine.DOCKER_28, Engine.DOCKER_20_10);
    mover = site.host(1);
    other = site.host(2);
    mover.setting("IFACE", "198.51.100.0/24").plugin().restart();
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @BeforeEach
  void furnish() {
    site.create(mover, VLAN001);
    site.create(other, VLAN001);
    near = mover.run("near", "vlan001");
    far = other.run("far", "vlan001");
    assertThat(near.reaches(far.address())).isTrue();
    key = "/coreos.com/network/vlan001/subnets/" + site.lease(mover, "vlan001").replace('/', '-');
    mac = mover.in("cat", "/sys/class/net/flannel.1/address").orThrow().text();
  }

  /** Back to where it began, from wherever the test left it. */
  @AfterEach
  void moveBack() {
    sh("ip link delete br9 2>/dev/null; true");
    mover.move(FORMER);
    Await.until(PATIENCE, this::lease, () -> lease().contains('"' + FORMER + '"'));
    follows(FORMER, LATTER);
    site.requireInvariantsAndClear();
  }

  @Test
  void anotherAddressIsFollowedByLeaseLinkAddressesAndPeers() {
    mover.move(LATTER);
    follows(LATTER, FORMER);
    assertThat(mover.run("new", "vlan001").reaches(far.address())).isTrue();

    // And back, after the plugin has been restarted meanwhile.
    mover.plugin().restart();
    mover.move(FORMER);
    follows(FORMER, LATTER);
  }

  @Test
  void anAddressThatChangesWhileThePluginIsDownIsFollowedAtItsStart() {
    mover.plugin().stop();
    mover.move(LATTER);
    mover.plugin().start();
    follows(LATTER, FORMER);
  }

  @Test
  void anotherLinkWithTheSameAddressCarriesTheTunnelFromThenOn() {
    String before = lease();
    sh("ip link add br9 type bridge && ip link set br9 up && ip link set eth0 master br9");
    sh("ip address del " + FORMER + "/24 dev eth0 && ip address add " + FORMER + "/24 dev br9");
    sh(GATEWAY);
    Await.until(SOON, this::vxlan, () -> vxlan().contains("local " + FORMER + " dev br9"));
    assertThat(vxlan()).contains("link/ether " + mac);
    assertThat(Await.within(SOON, () -> near.pings(far.address()))).isTrue();
    assertThat(far.pings(near.address())).isTrue();
    assertThat(lease()).isEqualTo(before);
  }

  @Test
  void anAddressThatGoesForAWhileChangesNothing() {
    String before = version();
    sh("ip address del " + FORMER + "/24 dev eth0");
    Await.until(PATIENCE, () -> "still pinging", () -> !near.pings(far.address()));
    // Longer than any calm that is waited for.
    assertThat(Await.within(Duration.ofSeconds(3), () -> !vxlan().contains("local " + FORMER)))
        .isFalse();
    sh("ip address add " + FORMER + "/24 dev eth0 && " + GATEWAY);
    assertThat(Await.within(SOON, () -> near.pings(far.address()))).isTrue();
    // A further address, though a lower one, is no reason to move.
    sh("ip address add 198.51.100.10/24 dev eth0");
    assertThat(Await.within(Duration.ofSeconds(2), () -> !version().equals(before))).isFalse();
    assertThat(near.pings(far.address())).isTrue();
  }

  @Test
  void aHostBehindAddressTranslationIsReachedAtItsPublicAddress() {
    String translated = "198.51.100.111";
    translate(translated, FORMER);
    mover.setting("PUBLIC_IP", translated).plugin().restart();
    Await.until(PATIENCE, this::lease, () -> lease().contains('"' + translated + '"'));
    assertThat(Await.within(SOON, () -> far.pings(near.address()))).isTrue();
    assertThat(near.reaches(far.address())).isTrue();
    assertThat(vxlan()).contains("local " + FORMER + " dev eth0");
    assertThat(other.in("bridge", "fdb", "show", "dev", "flannel.1").orThrow().out())
        .contains(mac + " dst " + translated);
    mover.setting("PUBLIC_IP", "").plugin().restart();
  }

  /** The machine outside takes the address, and passes on what comes for a tunnel there. */
  private void translate(String from, String to) {
    site.lab()
        .outside()
        .in(
            "sh",
            "-c",
            "ip address add %s/24 dev eth0 && cd /proc/sys/net/ipv4 && echo 1 > ip_forward && "
                    .formatted(from)
                + "echo 0 > conf/all/send_redirects && echo 0 > conf/eth0/send_redirects && "
                + "nft 'add table ip translate; add chain ip translate in { type nat hook prerouting"
                + " priority -100; }; add rule ip translate in ip daddr %s udp dport 8472 dnat to %s'"
                    .formatted(from, to))
        .orThrow();
  }

  private void follows(String now, String before) {
    long start = System.nanoTime();
    assertThat(Await.within(SOON, () -> near.pings(far.address()))).isTrue();
    System.out.println(
        "reached again after " + Duration.ofNanos(System.nanoTime() - start).toMillis() + " ms");
    assertThat(far.pings(near.address())).isTrue();
    assertThat(lease()).contains('"' + now + '"', mac);
    assertThat(vxlan()).contains("local " + now + " dev eth0", "link/ether " + mac);
    assertThat(other.in("bridge", "fdb", "show", "dev", "flannel.1").orThrow().out())
        .contains(mac + " dst " + now)
        .doesNotContain(before + " ");
    Await.until(
        PATIENCE,
        () -> "addresses stay at " + before,
        () -> {
          String holder =
              site.etcd().get("/flannelvlan/addresses/vlan001/" + near.address()).orElse("");
          return holder.contains('"' + now + '"');
        });
  }

  private void sh(String command) {
    mover.in("sh", "-c", command).orThrow();
  }

  private String lease() {
    return site.etcd().get(key).orElse("");
  }

  private String version() {
    return site.etcd()
        .etcdctl("get", "--write-out", "fields", key)
        .orThrow()
        .out()
        .lines()
        .filter(line -> line.startsWith("\"ModRevision\""))
        .findFirst()
        .orElse("");
  }

  /** Nothing in the moment in which the link is made again. */
  private String vxlan() {
    return mover.in("ip", "-details", "link", "show", "flannel.1").out();
  }
}
