package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.invariants.Invariants;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Promise;
import io.flannelvlan.tests.lab.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Whatever of ours is taken out of a host's kernel, or changed there, by hand or by a reload. */
@ExtendWith(LogsOnFailure.class)
final class KernelDamageIT {
  private static final String VLAN001 = OURS + "--subnet 10.1.0.0/16 --opt vni=1 vlan001";

  /** By what the table calls them; tests/lab/damage knows the words with a $. */
  private static final Map<String, String> DAMAGES = new LinkedHashMap<>();

  static {
    DAMAGES.put("vxlan link deleted", "ip link del flannel.1");
    DAMAGES.put("bridge deleted", "ip link del fvbr.1");
    DAMAGES.put("both links deleted", "ip link del flannel.1; ip link del fvbr.1");
    DAMAGES.put("vxlan link set down", "ip link set flannel.1 down");
    DAMAGES.put("bridge set down", "ip link set fvbr.1 down");
    DAMAGES.put("veth set down", "ip link set $veth down");
    DAMAGES.put("veth taken out of the bridge", "ip link set $veth nomaster");
    DAMAGES.put("veth's hairpin mode switched off", "bridge link set dev $veth hairpin off");
    DAMAGES.put("vxlan link's MTU changed", "ip link set flannel.1 mtu 1300");
    DAMAGES.put("bridge's MTU changed", "ip link set fvbr.1 mtu 1300");
    DAMAGES.put("veth's MTU changed", "ip link set $veth mtu 1300");
    DAMAGES.put("VTEP's MAC changed", "ip link set flannel.1 address 02:00:00:00:00:01");
    DAMAGES.put("bridge's MAC changed", "ip link set fvbr.1 address 02:00:00:00:00:01");
    DAMAGES.put("bridge's alias changed", "ip link set fvbr.1 alias mine");
    DAMAGES.put("vxlan link's alias deleted", "ip link set flannel.1 alias ''");
    DAMAGES.put("veth's alias changed", "ip link set $veth alias mine");
    DAMAGES.put(
        "links' group changed",
        "for link in fvbr.1 flannel.1 $veth; do ip link set $link group 7; done");
    DAMAGES.put("gateway address deleted", "ip addr del $gateway dev fvbr.1");
    DAMAGES.put("vxlan link's address flushed", "ip addr flush dev flannel.1");
    DAMAGES.put("route to a peer deleted", "ip route del $peer");
    DAMAGES.put("all our routes flushed", "ip route flush proto 241");
    DAMAGES.put("neighbour deleted", "ip neigh del $base dev flannel.1");
    DAMAGES.put(
        "neighbour's MAC changed",
        "ip neigh replace $base lladdr 02:00:00:00:00:01 dev flannel.1 nud permanent");
    DAMAGES.put("FDB entry deleted", "bridge fdb del $mac dev flannel.1");
    DAMAGES.put(
        "FDB entry changed",
        "bridge fdb replace $mac dev flannel.1 dst 198.51.100.99 self permanent");
    DAMAGES.put(
        "FDB entry added", "bridge fdb add 02:00:00:00:00:01 dev flannel.1 dst 198.51.100.9");
    DAMAGES.put("forwarding off (bridge)", "sysctl -qw net.ipv4.conf.fvbr/1.forwarding=0");
    DAMAGES.put("forwarding off (vxlan)", "sysctl -qw net.ipv4.conf.flannel/1.forwarding=0");
    DAMAGES.put("forwarding off (underlay)", "sysctl -qw net.ipv4.conf.eth0.forwarding=0");
    DAMAGES.put("forwarding off (host)", "sysctl -qw net.ipv4.ip_forward=0");
    DAMAGES.put("route_localnet off", "sysctl -qw net.ipv4.conf.fvbr/1.route_localnet=0");
    DAMAGES.put("nft table deleted", "nft delete table inet flannelvlan");
    DAMAGES.put("nft chain flushed", "nft flush chain inet flannelvlan forward");
    DAMAGES.put("nft set element deleted", "nft delete element inet flannelvlan links { fvbr.1 }");
    DAMAGES.put("nft map flushed", "nft flush map inet flannelvlan published");
    DAMAGES.put("nft rule added", "nft insert rule inet flannelvlan forward drop");
    DAMAGES.put("iptables -F FLANNELVLAN", "iptables -F FLANNELVLAN");
    DAMAGES.put("jump to FLANNELVLAN deleted", "iptables -D FORWARD -j FLANNELVLAN");
    DAMAGES.put(
        "chain FLANNELVLAN deleted",
        // At once: between two commands the jump may be back, and a chain in use can't be deleted.
        "printf '%s\\n' '*filter' '-F FLANNELVLAN' '-D FORWARD -j FLANNELVLAN' '-X FLANNELVLAN'"
            + " COMMIT | iptables-restore --noflush");
    DAMAGES.put(
        "iptables-restore of a dump without us",
        "iptables-save | grep -v FLANNELVLAN > /run/dump; iptables-restore < /run/dump");
    DAMAGES.put("iptables -F; iptables -t nat -F", "iptables -F; iptables -t nat -F");
    DAMAGES.put(
        "nft flush ruleset, Docker's rules reloaded",
        "nft flush ruleset; iptables-restore < /run/dump");
  }

  private record Repair(Host host, Result result) {}

  private static final Promise REPAIR = new Promise(Duration.ofSeconds(1));

  /**
   * Somebody's: a tunnel with a name as flanneld gives, one on our port, a bridge, a port in our
   * bridge, a table, and a route around our peers' subnets.
   */
  private static final String FOREIGN =
      """
      ip link add flannel.77 type vxlan id 77 dev eth0 dstport 8472 nolearning
      ip addr add 10.77.1.0/32 dev flannel.77
      ip link set flannel.77 up
      bridge fdb add 02:00:00:00:00:77 dev flannel.77 dst 198.51.100.77 self permanent
      ip neigh add 10.77.2.0 lladdr 02:00:00:00:00:77 dev flannel.77 nud permanent
      ip route add 10.77.2.0/24 via 10.77.2.0 dev flannel.77 onlink
      ip link add user0 type bridge
      ip addr add 10.99.0.1/24 dev user0
      ip link set user0 up
      ip link add uservm type veth peer name uservm.1
      ip link set uservm up
      ip link set uservm.1 up
      ip route add 10.1.0.0/16 via 198.51.100.254 proto static
      ip link set uservm master fvbr.1
      nft add table inet mine
      nft 'add chain inet mine forward { type filter hook forward priority 0; policy accept; }'
      nft add rule inet mine forward ip saddr 192.0.2.1 drop
      """;

  /** But for the port's master: who deletes a bridge takes its ports out of it. */
  private static final String SHOW_FOREIGN =
      """
      for link in flannel.77 user0 uservm uservm.1 docker0; do
        ip -o link show dev $link | sed -E 's/master [^ ]+ |state [A-Z]+ |qlen [0-9]+//g'
        ip -o -4 addr show dev $link
        ip route show dev $link
        ip neigh show dev $link nud permanent
      done
      bridge fdb show dev flannel.77
      ip route show proto static
      nft list table inet mine
      iptables-save | grep -v -e FLANNELVLAN -e '^#' | sed 's/\\[.*\\]//'
      """;

  private static final String REMOVE_FOREIGN =
      "ip link del flannel.77; ip link del user0; ip link del uservm; ip route del 10.1.0.0/16;"
          + " nft delete table inet mine";

  private static Site site;
  private static Container newer;
  private static Container older;

  @BeforeAll
  static void boot() {
    site = new Site(Engine.DOCKER_28, Engine.DOCKER_20_10);
    for (int number = 1; number <= 2; number++) {
      site.create(site.host(number), VLAN001);
    }
    newer = site.host(1).run("newer", "vlan001", "--publish", "8080:80");
    older = site.host(2).run("older", "vlan001", "--publish", "8080:80");
    assertThat(newer.reaches(older.address())).isTrue();
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @AfterEach
  void everythingAgrees() {
    Invariants.of(site.lab()).awaitHeld();
  }

  @Test
  void whatIsChangedByHandIsPutRightWithinASecond() {
    String newerAt = newer.address();
    String olderAt = older.address();
    List<String> failures = new ArrayList<>();
    System.out.println("milliseconds until all is as it was:");
    DAMAGES.forEach((name, command) -> {
      StringBuilder line = new StringBuilder("| %-40s".formatted(name));
      for (Repair repair : onBoth(host -> new Repair(host, host.damage(1, command)))) {
        Result result = repair.result;
        line.append(" | %5s".formatted(result.ok() ? result.text() : "-"));
        if (result.ok()) {
          REPAIR.took(Duration.ofMillis(Long.parseLong(result.text())));
        } else {
          failures.add(repair.host.name() + ": " + name + ": " + result);
        }
      }
      if (!newer.pings(olderAt) || !older.pings(newerAt)) {
        failures.add(name + ": no ping afterwards");
      }
      System.out.println(line + " |");
    });
    assertThat(failures).isEmpty();
    REPAIR.requireKept();
    for (Container container : List.of(newer, older)) {
      requireVtepMacOfEtcd(container.host());
    }
  }

  /** What is done to one host's kernel is nothing to the other's. */
  private static <T> List<T> onBoth(Function<Host, T> work) {
    return Stream.of(newer, older)
        .map(container ->
            CompletableFuture.supplyAsync(
                () -> work.apply(container.host()), Thread::startVirtualThread))
        .toList()
        .stream()
        .map(CompletableFuture::join)
        .toList();
  }

  private static void requireVtepMacOfEtcd(Host host) {
    String shown = host.in("ip", "-brief", "link", "show", "dev", "flannel.1").orThrow().text();
    String lease = site.lease(host, "vlan001").replace('/', '-');
    assertThat(site.etcd().get("/coreos.com/network/vlan001/subnets/" + lease).orElseThrow())
        .contains('"' + shown.split(" +", -1)[2] + '"');
  }

  @Test
  void trafficGoesOnWithoutAnyOtherRulesOnTheHost() {
    for (Container container : List.of(newer, older)) {
      Host host = container.host();
      host.in("bash", "-c", "iptables-save > /run/all; nft flush ruleset").orThrow();
      REPAIR.await(
          () -> "our table is not back on " + host.name(),
          () -> host.in("nft", "list", "table", "inet", "flannelvlan").ok());
      assertThat(newer.pings(older.address())).isTrue();
      assertThat(older.pings(newer.address())).isTrue();
      assertThat(site.lab().outside().whoAnswers(host.address() + ":8080"))
          .contains(container.name());
      host.in("bash", "-c", "iptables-restore < /run/all").orThrow();
    }
  }

  @Test
  void legacyTablesAreHookedAndRepairedToo() {
    for (Container container : List.of(newer, older)) {
      Host host = container.host();
      for (String change :
          List.of(
              "-P FORWARD DROP",
              "-F FLANNELVLAN",
              "-F",
              "-D FORWARD 1",
              "-R FLANNELVLAN 1 -i fvbr.+ -j DROP")) {
        host.in("bash", "-c", "iptables-legacy " + change).orThrow();
        REPAIR.await(
            () -> "after iptables-legacy " + change + ": " + legacyForward(host),
            () ->
                legacyForward(host).contains("-A FORWARD -j FLANNELVLAN\n")
                    && legacyForward(host).contains("-A FLANNELVLAN -i fvbr.+ -j ACCEPT\n"));
        assertThat(newer.pings(older.address())).isTrue();
      }
      host.in("iptables-legacy", "-P", "FORWARD", "ACCEPT").orThrow();
    }
  }

  private static String legacyForward(Host host) {
    return host.in("iptables-legacy", "-S").orThrow().out();
  }

  @Test
  void whatIsOthersStaysAsItIsThroughDamageAndRepair() {
    for (Container container : List.of(newer, older)) {
      Host host = container.host();
      host.in("bash", "-c", FOREIGN).orThrow();
      String before = host.in("bash", "-c", SHOW_FOREIGN).orThrow().out();
      for (String damage :
          List.of(
              "ip link del flannel.1; ip link del fvbr.1",
              "ip link del fvbr.1; ip route flush proto 241",
              "nft delete table inet flannelvlan; iptables -F FLANNELVLAN")) {
        assertThat(host.damage(1, damage)).matches(Result::ok);
      }
      site.create(host, OURS + "--subnet 10.3.0.0/16 --opt vni=3 vlan003");
      host.docker("network", "rm", "vlan003");
      assertThat(host.in("bash", "-c", SHOW_FOREIGN).orThrow().out()).isEqualTo(before);
      assertThat(newer.pings(older.address())).isTrue();
      host.in("bash", "-c", REMOVE_FOREIGN).orThrow();
    }
  }

  @Test
  void tunnelThatTakesOurPlaceIsNamedOnceAndOursIsBackWhenItGoes() {
    Host host = newer.host();
    host.in(
            "bash",
            "-c",
            "printf '%s\\n' 'link del flannel.1' 'link add theirs type vxlan id 1 dev eth0 dstport"
                + " 8472' | ip -batch -")
        .orThrow();
    String words = "needs a link with VNI 1, which theirs has already";
    REPAIR.await(
        () -> "not said: " + host.plugin().log(), () -> host.plugin().log().contains(words));
    // Others are served meanwhile, each by a pass that meets the same foreign link.
    site.create(host, OURS + "--subnet 10.3.0.0/16 --opt vni=3 vlan003");
    host.docker("network", "rm", "vlan003");
    assertThat(host.in("ip", "link", "show", "theirs").ok()).isTrue();
    assertThat(host.plugin().log().split(words, -1)).hasSize(2);
    host.in("ip", "link", "del", "theirs").orThrow();
    assertThat(newer.reaches(older.address())).isTrue();
    requireVtepMacOfEtcd(host);
  }

  @Test
  void vethThatIsDeletedIsToldWithItsAddressAndARestartOfTheContainerHeals() {
    Host host = newer.host();
    Container victim = host.run("victim", "vlan001");
    Container bystander = host.run("bystander", "vlan001");
    String address = victim.address();
    host.in("ip", "link", "del", hostEnd(victim)).orThrow();
    REPAIR.await(
        () -> "not said: " + host.plugin().log(),
        () -> host.plugin().log().contains("restart the container that has " + address));
    assertThat(bystander.pings(older.address())).isTrue();
    victim.stop();
    victim.start();
    assertThat(victim.reaches(older.address())).isTrue();
    victim.remove();
    bystander.remove();
    REPAIR.await(
        () -> "etcd has " + site.addresses(host),
        () -> site.addresses(host).equals(site.addressesOf(host, newer.name())));
  }

  /** The host's link whose index the container's eth0 names. */
  private static String hostEnd(Container container) {
    // Such as "17: eth0@if18: <BROADCAST,…".
    String shown = container.in("ip", "-oneline", "link", "show", "dev", "eth0").orThrow().out();
    String wanted = shown.split("@if|: ", -1)[2];
    return container
        .host()
        .in("ip", "-oneline", "link")
        .orThrow()
        .out()
        .lines()
        .filter(line -> line.startsWith(wanted + ": "))
        .map(line -> line.split("[:@ ]+", 3)[1])
        .findFirst()
        .orElseThrow();
  }
}
