package io.flannelvlan.driver.kernel;

import static io.flannelvlan.driver.kernel.Wished.vlan;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.driver.kernel.Desired.DesiredVlan;
import io.flannelvlan.driver.kernel.Desired.Peer;
import io.flannelvlan.netlink.Rtnl;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Plans played on the real kernel, looked at with {@code ip} and {@code bridge}. */
class KernelIT {

  private static final String VETH = "fv200000000000";

  private final TestingNamespace namespace = new TestingNamespace();
  private final Kernel kernel = new Kernel(Rtnl.openIn(namespace.path()));

  @AfterEach
  void close() {
    kernel.close();
    namespace.close();
  }

  @Test
  void aVlanLooksLikeFlanneldsWithOurMarks() {
    settle(vlan(2, 1, 1));
    assertThat(namespace.run("ip -d link show dev flannel.2"))
        .contains("mtu 1450 qdisc noqueue", "UP", "link/ether 0e:2d:11:20:5a:02")
        .contains(
            "vxlan id 2 local 198.51.100.11 dev eth0 srcport 0 0 dstport 8472 ", " nolearning")
        .contains("alias flannelvlan vlan002");
    assertThat(namespace.run("ip -d link show dev fvbr.2"))
        .contains("mtu 1450", "UP", "link/ether 0a:58:0a:02:14:01", "alias flannelvlan vlan002");
    assertThat(namespace.run("ip -d link show dev " + VETH))
        .contains("mtu 1450", "master fvbr.2", "UP", "alias flannelvlan vlan002");
    assertThat(namespace.run("ip link show dev fc200000000000"))
        .contains("mtu 1450", "link/ether 0a:58:0a:02:14:00");
    assertThat(namespace.run("ip -4 addr show dev fvbr.2")).contains("inet 10.2.20.1/24");
    assertThat(namespace.run("ip -4 addr show dev flannel.2")).contains("inet 10.2.20.0/32");
    assertThat(namespace.lines("ip neigh show dev flannel.2 nud permanent"))
        .contains("10.2.88.0 lladdr 2a:88:6f:10:c4:00 PERMANENT");
    assertThat(namespace.lines("bridge fdb show dev flannel.2"))
        .containsExactly("2a:88:6f:10:c4:00 dst 198.51.100.12 self permanent");
    assertThat(namespace.lines("ip -4 route show proto 241"))
        .containsExactly("10.2.88.0/24 via 10.2.88.0 dev flannel.2 onlink");
    for (String setting :
        List.of(
            "fvbr.2/forwarding",
            "fvbr.2/route_localnet",
            "flannel.2/forwarding",
            "eth0/forwarding")) {
      assertThat(namespace.lines("cat /proc/sys/net/ipv4/conf/" + setting)).containsExactly("1");
    }
    assertThat(namespace.lines("cat /proc/sys/net/ipv4/ip_forward")).containsExactly("0");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ip link del flannel.2",
        "ip link del fvbr.2",
        "ip link del " + VETH,
        "ip link set flannel.2 down",
        "ip link set fvbr.2 down",
        "ip link set fvbr.2 mtu 1300",
        "ip link set flannel.2 address 02:00:00:00:00:01",
        "ip link set fvbr.2 address 02:00:00:00:00:01",
        "ip link set " + VETH + " nomaster",
        "bridge link set dev " + VETH + " hairpin off",
        "ip link set eth0 mtu 1600",
        "ip addr del 10.2.20.1/24 dev fvbr.2",
        "ip addr add 10.2.20.9/24 dev fvbr.2",
        "ip addr flush dev flannel.2",
        "ip neigh del 10.2.88.0 dev flannel.2",
        "ip neigh replace 10.2.89.0 lladdr 02:00:00:00:00:01 dev flannel.2 nud permanent",
        "ip neigh add 10.2.99.0 lladdr 02:00:00:00:00:01 dev flannel.2 nud permanent",
        "bridge fdb del 2a:88:6f:10:c4:00 dev flannel.2",
        "bridge fdb replace 2a:88:6f:10:c4:00 dev flannel.2 dst 198.51.100.99 self permanent",
        "bridge fdb add 02:00:00:00:00:01 dev flannel.2 dst 198.51.100.99 self permanent",
        "ip route del 10.2.88.0/24",
        "ip route add 10.2.99.0/24 via 10.2.99.0 dev flannel.2 onlink proto 241",
        "sysctl -qw net.ipv4.conf.fvbr/2.forwarding=0",
        "sysctl -qw net.ipv4.ip_forward=1",
      })
  void whatIsChangedByHandIsPutRight(String command) {
    DesiredVlan[] wished = {vlan(2, 3, 2), vlan(3, 1, 1)};
    settle(wished);
    List<String> before = everything();
    namespace.run(command);
    settle(wished);
    assertThat(everything()).containsExactlyInAnyOrderElementsOf(before);
  }

  @Test
  void theModelOfTheKernelIsTheKernel() {
    KernelState model = kernel.dump();
    for (Desired desired :
        List.of(
            new Desired(List.of(vlan(2, 2, 2), vlan(3, 1, 0))),
            new Desired(List.of(vlan(2, 1, 1))),
            new Desired(List.of()))) {
      Plan plan = Plan.between(desired, kernel.dump());
      for (Change change : plan.changes()) {
        model = model.after(change);
      }
      apply(plan);
      KernelState real = kernel.dump();
      assertThat(Plan.between(desired, model).toString()).isEqualTo("");
      assertThat(Plan.between(desired, real).toString()).isEqualTo("");
      assertThat(real.neighbors()).isEqualTo(model.neighbors());
      assertThat(real.fdb()).isEqualTo(model.fdb());
      assertThat(real.addresses()).isEqualTo(model.addresses());
    }
  }

  @Test
  void whatIsNotOursStaysAsItIs() {
    namespace.run("ip link add user0 type bridge");
    namespace.run("ip addr add 10.9.0.1/24 dev user0");
    namespace.run("ip link set user0 up");
    namespace.run("ip link add vx9 type vxlan id 9 dev eth0 local 198.51.100.11 dstport 8472");
    namespace.run("bridge fdb add 02:00:00:00:00:09 dev vx9 dst 198.51.100.9 self permanent");
    namespace.run("ip route add 10.8.0.0/16 via 198.51.100.1 dev eth0");
    namespace.run("ip route add blackhole 10.7.0.0/16");
    namespace.run("ip route add default via 198.51.100.1 dev eth0");
    List<String> before = everything();
    settle(vlan(2, 3, 3));
    assertThat(everything()).containsAll(before);
    settle();
    assertThat(everything()).containsExactlyInAnyOrderElementsOf(before);
  }

  @Test
  void manyContainersAreTakenDownTogether() {
    List<String> before = everything();
    settle(vlan(2, 1, 60));
    assertThat(namespace.lines("ip -o link show master fvbr.2")).hasSize(60);
    settle();
    assertThat(everything()).containsExactlyInAnyOrderElementsOf(before);
  }

  @Test
  void aChangedPeerReplacesAndAGonePeerLeavesNothing() {
    settle(vlan(2, 3, 0));
    settle(vlan(2, 1, 0));
    assertThat(namespace.lines("ip -4 route show proto 241")).hasSize(1);
    assertThat(namespace.lines("bridge fdb show dev flannel.2")).hasSize(1);
    settle(Wished.withPeers(vlan(2, 0, 0), Optional.empty()));
    assertThat(namespace.lines("ip -4 route show proto 241")).hasSize(1);
    settle(vlan(2, 0, 0));
    assertThat(namespace.run("ip -4 route show proto 241")).isEmpty();
    assertThat(namespace.run("bridge fdb show dev flannel.2")).isEmpty();
  }

  @Test
  void aDirectPeerIsAPlainRouteByTheUnderlay() {
    Peer tunneled = vlan(2, 1, 0).peers().orElseThrow().getFirst();
    Peer direct = new Peer(tunneled.subnet(), tunneled.publicAddress(), tunneled.vtepMac(), true);
    settle(vlan(2, 1, 0));
    settle(Wished.withPeers(vlan(2, 0, 0), Optional.of(List.of(direct))));
    assertThat(namespace.lines("ip -4 route show proto 241"))
        .containsExactly("10.2.88.0/24 via 198.51.100.12 dev eth0");
    assertThat(namespace.run("bridge fdb show dev flannel.2")).isEmpty();
    settle(vlan(2, 1, 0));
    assertThat(namespace.lines("ip -4 route show proto 241"))
        .containsExactly("10.2.88.0/24 via 10.2.88.0 dev flannel.2 onlink");
  }

  @Test
  void aLinkThatACrashLeftWithoutAnAliasIsMadeAnew() {
    namespace.run("ip link add flannel.2 group " + Mark.GROUP + " type bridge");
    namespace.run("ip link add fvbr.7 group " + Mark.GROUP + " type bridge");
    settle(vlan(2, 1, 0));
    assertThat(namespace.run("ip -d link show dev flannel.2")).contains("vxlan id 2");
    assertThat(kernel.dump().link("fvbr.7")).isEmpty();
  }

  @Test
  void aVlanThatCantBeMadeSaysWhyAndTheOthersAreMade() {
    DesiredVlan broken = Wished.on("eth7", 3, 1, 1);
    Plan plan = Plan.between(new Desired(List.of(broken, vlan(2, 1, 1))), kernel.dump());
    List<Optional<String>> errors = kernel.apply(plan.changes());
    List<String> failed =
        IntStream.range(0, errors.size())
            .filter(i -> errors.get(i).isPresent())
            .mapToObj(i -> plan.changes().get(i).vlan() + ": " + errors.get(i).get())
            .toList();
    assertThat(failed).isNotEmpty().allMatch(text -> text.startsWith("vlan003: "));
    assertThat(failed.getFirst()).contains("eth7");
    assertThat(Plan.between(new Desired(List.of(vlan(2, 1, 1))), kernel.dump()).changes())
        .allMatch(change -> change.toString().endsWith(".3") || change.toString().contains("fv3"));
  }

  @Test
  void theKernelsOwnWordsAreInTheError() {
    Plan plan = Plan.between(new Desired(List.of(vlan(2, 0, 0))), kernel.dump());
    namespace.run("ip link add other type vxlan id 2 dev eth0 local 198.51.100.11 dstport 8472");
    List<Optional<String>> errors = kernel.apply(plan.changes());
    assertThat(errors.toString()).contains("flannel.2", "VNI");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "id 2 group 239.1.1.1 dev eth0 dstport 8472",
        "id 2 dev eth0 dstport 8472 proxy",
        "id 2 dev wire dstport 8472",
        "id 9 dev eth0 dstport 8472 gbp",
        "external dstport 8472",
      })
  void aForeignTunnelThatTheKernelAllowsNoOtherBesideIsCalledByItsName(String theirs) {
    namespace.run("ip link add theirs type vxlan " + theirs);
    namespace.run("ip link set theirs up");
    Plan plan = Plan.between(new Desired(List.of(vlan(2, 1, 0))), kernel.dump());
    assertThat(plan.conflicts()).singleElement().asString().contains("ip link del theirs");
    apply(plan);
    namespace.run("ip link del theirs");
    settle(vlan(2, 1, 0));
  }

  @Test
  void aForeignTunnelOfAnotherVniOnOurPortIsNoConflict() {
    namespace.run("ip link add theirs type vxlan id 9 group 239.1.1.1 dev eth0 dstport 8472");
    namespace.run("ip link set theirs up");
    settle(vlan(2, 1, 0));
  }

  @Test
  void aForeignTunnelInOurWayIsAConflictAndStays() {
    namespace.run("ip link add flannel.2 type vxlan id 2 dev eth0 dstport 8472");
    String before = namespace.run("ip -d link show dev flannel.2");
    Plan plan = Plan.between(new Desired(List.of(vlan(2, 1, 1))), kernel.dump());
    assertThat(plan.conflicts()).singleElement().asString().contains("ip link del flannel.2");
    apply(plan);
    assertThat(namespace.run("ip -d link show dev flannel.2")).isEqualTo(before);
  }

  private void settle(DesiredVlan... vlans) {
    Desired desired = new Desired(List.of(vlans));
    for (int round = 0; round < 4; round++) {
      Plan plan = Plan.between(desired, kernel.dump());
      assertThat(plan.conflicts()).isEmpty();
      if (plan.changes().isEmpty()) {
        return;
      }
      apply(plan);
    }
    throw new AssertionError("does not settle:\n" + Plan.between(desired, kernel.dump()));
  }

  private void apply(Plan plan) {
    List<Optional<String>> errors = kernel.apply(plan.changes());
    assertThat(errors).as("errors of\n%s", plan).hasSameSizeAs(plan.changes());
    assertThat(errors.stream().flatMap(Optional::stream)).as("errors of\n%s", plan).isEmpty();
  }

  /** All that {@code ip} and {@code bridge} show, without what no two links share by chance. */
  private List<String> everything() {
    List<String> all = new ArrayList<>();
    for (String command :
        List.of(
            "ip -o -4 addr show",
            "ip -4 route show",
            "ip neigh show nud permanent",
            "bridge fdb show")) {
      namespace.lines(command).stream()
          .map(line -> line.replaceAll("^\\d+: ", "").replaceAll("\\s+valid_lft.*", ""))
          .filter(line -> !line.contains("dev fv") && !line.contains("dev fc"))
          .filter(line -> !line.startsWith("33:33") && !line.startsWith("01:00:5e"))
          .forEach(all::add);
    }
    kernel.dump().links().values().stream()
        .map(l -> l.name() + " " + l.kind() + " " + l.mtu() + " " + l.master() + " " + l.alias())
        .filter(text -> !text.startsWith("eth0") && !text.startsWith("wire"))
        .forEach(all::add);
    kernel.dump().settings().stream()
        .map(LinkSetting::toString)
        .filter(text -> text.contains("hairpin"))
        .forEach(all::add);
    return all;
  }
}
