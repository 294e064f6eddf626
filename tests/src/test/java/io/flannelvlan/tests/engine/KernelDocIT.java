package io.flannelvlan.tests.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LogsOnFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What stands in two hosts' kernels and in etcd for one VLAN, beside what stock flanneld v0.28.9
 * was seen to put there on hosts of the same addresses with the same subnets.
 */
@ExtendWith(LogsOnFailure.class)
final class KernelDocIT {
  private static final Vlan VLAN = new Vlan(2);
  private static final Path DOCUMENT = Path.of("../docs/KERNEL.md");

  /** With {@code -Dkernel.doc=write} the document is made anew instead of being compared. */
  private static final boolean WRITES = "write".equals(System.getProperty("kernel.doc"));

  private static final String PREFIX = "/coreos.com/network/vlan002/";

  private static Lab lab;
  private static Host h1;
  private static Host h2;

  @BeforeAll
  static void play() {
    lab = Lab.start();
    List<Host> hosts = lab.hosts(Engine.DOCKER_20_10, Engine.DOCKER_20_10);
    h1 = hosts.get(0);
    h2 = hosts.get(1);
    hosts.forEach(host -> host.plugin().start());
    VLAN.createOn(h1, "--ip-range", "10.2.11.0/24");
    VLAN.createOn(h2, "--ip-range", "10.2.22.0/24");
    Container c = h1.run("containerC", VLAN.name());
    Container d = h2.run("containerD", VLAN.name());
    assertThat(c.reaches(d.address())).isTrue();
    assertThat(d.reaches(c.address())).isTrue();
  }

  @AfterAll
  static void takeDown() {
    lab.close();
  }

  @Test
  void tunnelIsFlannelds() {
    assertThat(lines(h1, "ip -details -oneline link show flannel.2"))
        .singleElement()
        .asString()
        .contains("<BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UNKNOWN ")
        .contains(
            "vxlan id 2 local 198.51.100.11 dev eth0 srcport 0 0 dstport 8472 nolearning ttl auto"
                + " ageing 300 udpcsum noudp6zerocsumtx noudp6zerocsumrx ");
    assertThat(lines(h1, "sysctl net.ipv4.conf.flannel/2.forwarding"))
        .containsExactly("net.ipv4.conf.flannel/2.forwarding = 1");
  }

  @Test
  void tunnelsAddressIsFlannelds() {
    assertThat(lines(h1, "ip -4 -oneline address show dev flannel.2"))
        .singleElement()
        .asString()
        .contains("inet 10.2.11.0/32 scope global flannel.2");
    assertThat(lines(h1, "ip -4 route show table local dev flannel.2"))
        .containsExactly("local 10.2.11.0 proto kernel scope host src 10.2.11.0");
  }

  @Test
  void neighborsFdbAndRoutesAreFlanneldsButForTheRoutesMark() {
    assertThat(lines(h1, "ip neigh show dev flannel.2"))
        .containsExactly("10.2.22.0 lladdr " + vtep(h2) + " PERMANENT");
    assertThat(lines(h2, "ip neigh show dev flannel.2"))
        .containsExactly("10.2.11.0 lladdr " + vtep(h1) + " PERMANENT");
    assertThat(lines(h1, "bridge fdb show dev flannel.2"))
        .containsExactly(vtep(h2) + " dst 198.51.100.12 self permanent");
    assertThat(lines(h2, "bridge fdb show dev flannel.2"))
        .containsExactly(vtep(h1) + " dst 198.51.100.11 self permanent");
    assertThat(lines(h1, "ip -4 route show dev flannel.2"))
        .containsExactly("10.2.22.0/24 via 10.2.22.0 proto 241 onlink");
    assertThat(lines(h2, "ip -4 route show dev flannel.2"))
        .containsExactly("10.2.11.0/24 via 10.2.11.0 proto 241 onlink");
  }

  @Test
  void etcdHoldsFlannelsKeysToTheByte() {
    assertThat(lab.etcd().keys("/coreos.com/"))
        .containsExactly(
            PREFIX + "config", PREFIX + "subnets/10.2.11.0-24", PREFIX + "subnets/10.2.22.0-24");
    assertThat(value("config"))
        .isEqualTo("{\"Network\":\"10.2.0.0/16\",\"Backend\":{\"Type\":\"vxlan\",\"VNI\":2}}\n");
    assertThat(value("subnets/10.2.11.0-24")).isEqualTo(lease("198.51.100.11", vtep(h1)) + "\n");
    assertThat(value("subnets/10.2.22.0-24")).isEqualTo(lease("198.51.100.12", vtep(h2)) + "\n");
  }

  private static String lease(String publicAddress, String vtep) {
    return "{\"PublicIP\":\"%s\",\"PublicIPv6\":null,\"BackendType\":\"vxlan\","
            .formatted(publicAddress)
        + "\"BackendData\":{\"VNI\":2,\"VtepMAC\":\"%s\"}}".formatted(vtep);
  }

  /** With the line's end that etcdctl adds. */
  private static String value(String key) {
    return lab.etcd().etcdctl("get", "--print-value-only", "--", PREFIX + key).orThrow().out();
  }

  @Test
  void subnetKeysLiveForADay() {
    for (String key : List.of("subnets/10.2.11.0-24", "subnets/10.2.22.0-24")) {
      String grant =
          lab.etcd()
              .etcdctl("get", "--write-out", "fields", "--", PREFIX + key)
              .orThrow()
              .out()
              .replaceAll("(?s).*\"Lease\" : (\\d+).*", "$1");
      String hex = Long.toHexString(Long.parseLong(grant));
      assertThat(lab.etcd().etcdctl("lease", "timetolive", hex, "--keys").orThrow().out())
          .contains("TTL(86400s)")
          .contains("attached keys([" + PREFIX + key + "])");
    }
  }

  @Test
  void documentShowsWhatARealRunShows() throws IOException {
    String shown =
        KernelDoc.of(lab, List.of(h1, h2))
            .replace(vtep(h1), "<VTEP of h1>")
            .replace(vtep(h2), "<VTEP of h2>");
    if (WRITES) {
      Files.writeString(DOCUMENT, shown);
    }
    assertThat(DOCUMENT).hasContent(shown);
  }

  private static String vtep(Host host) {
    return String.join("", lines(host, "cat /sys/class/net/flannel.2/address"));
  }

  /** What a tool prints on a host; ip pads its lines with blanks. */
  static List<String> lines(Host host, String command) {
    return host.withEnginesTools(command.split(" "))
        .orThrow()
        .out()
        .lines()
        .map(String::strip)
        .toList();
  }
}
