package io.flannelvlan.driver.kernel;

import static io.flannelvlan.driver.kernel.Wished.onBridge;
import static io.flannelvlan.driver.kernel.Wished.vlan;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.driver.kernel.Desired.DesiredVlan;
import io.flannelvlan.netlink.Rtnl;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several VLANs on one bridge of a real kernel. */
class SharedBridgeKernelIT {

  private static final String PORT = "fv200000000000";

  private final TestingNamespace namespace = new TestingNamespace();
  private final Kernel kernel = new Kernel(Rtnl.openIn(namespace.path()));

  @AfterEach
  void close() {
    kernel.close();
    namespace.close();
  }

  @Test
  void portsAreMadeInTheirVlansGroupAndTheBridgeHasAllGateways() {
    settle(on("br-tun1", false, 2), on("br-tun1", false, 3));
    assertThat(namespace.run("ip -d link show dev br-tun1"))
        .contains("mtu 1450", "link/ether 0a:58:0a:02:14:01", "alias flannelvlan bridge/br-tun1");
    assertThat(namespace.run("ip -d link show dev " + PORT))
        .contains("master br-tun1", "group 1711276034", "alias flannelvlan vlan002");
    assertThat(namespace.lines("ip -o -4 addr show dev br-tun1")).hasSize(2);
    settle(on("br-tun1", false, 3));
    assertThat(namespace.run("ip -d link show dev br-tun1")).contains("0a:58:0a:02:14:01");
    assertThat(namespace.run("ip -4 addr show dev br-tun1"))
        .contains("inet 10.3.20.1/24")
        .doesNotContain("10.2.20.1");
    settle();
    assertThat(kernel.dump().hasOurs()).isFalse();
  }

  @Test
  void aBridgeOfTheUsersKeepsWhatItHas() {
    usersBridge();
    List<String> before = shown();
    settle(on("br-tun1", true, 2), on("br-tun1", true, 3));
    assertThat(namespace.run("ip -4 addr show dev br-tun1"))
        .contains("inet 10.2.20.1/24 scope global br-tun1:fv", "inet 192.168.5.1/24");
    assertThat(shown()).containsAll(before);
    settle(on("br-tun1", true, 3));
    assertThat(namespace.run("ip -4 addr show dev br-tun1")).doesNotContain("10.2.20.1");
    settle();
    assertThat(shown()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ip link set " + PORT + " group 0",
        "ip link set " + PORT + " group 26221",
        "ip link set " + PORT + " nomaster",
        "ip link set " + PORT + " type bridge_slave group_fwd_mask 0",
        "ip addr del 10.2.20.1/24 dev br-tun1",
        "ip link del " + PORT,
      })
  void whatIsChangedByHandIsPutRight(String command) {
    usersBridge();
    DesiredVlan[] wished = {on("br-tun1", true, 2), on("br-tun1", true, 3)};
    settle(wished);
    List<String> before = shown();
    namespace.run(command);
    settle(wished);
    assertThat(shown()).isEqualTo(before);
  }

  @Test
  void portsComeBackToABridgeOfTheUsersThatComesBack() {
    usersBridge();
    settle(on("br-tun1", true, 2));
    namespace.run("ip link del br-tun1");
    Plan plan = Plan.between(new Desired(List.of(on("br-tun1", true, 2))), kernel.dump());
    assertThat(plan.changes()).isEmpty();
    assertThat(plan.conflicts()).singleElement().asString().contains("ip link add br-tun1");
    namespace.run("ip link add br-tun1 type bridge");
    namespace.run("ip link set br-tun1 up");
    settle(on("br-tun1", true, 2));
    assertThat(namespace.run("ip link show dev " + PORT)).contains("master br-tun1");
    assertThat(namespace.run("ip -4 addr show dev br-tun1")).contains("10.2.20.1/24");
  }

  private void usersBridge() {
    namespace.run("ip link add br-tun1 type bridge");
    namespace.run("ip link set br-tun1 address 02:00:00:00:05:01 mtu 1400");
    namespace.run("ip addr add 192.168.5.1/24 dev br-tun1");
    namespace.run("ip link set br-tun1 up");
    namespace.run("ip link add his type veth peer name other");
    namespace.run("ip link set his master br-tun1");
  }

  /** All links with what we could change of them, and all addresses. */
  private List<String> shown() {
    List<String> all = new ArrayList<>();
    KernelState state = kernel.dump();
    state.links().values().stream()
        .map(l ->
            l.name() + l.kind() + l.mac() + l.mtu() + l.up() + l.master() + l.alias() + l.group())
        .filter(text -> !text.startsWith("fv") && !text.startsWith("fc"))
        .forEach(all::add);
    state.links().values().stream()
        .filter(Mark::isOurs)
        .map(l -> l.name() + l.kind() + l.mtu() + l.up() + l.master() + l.alias() + l.group())
        .forEach(all::add);
    state.settings().stream()
        .filter(setting -> setting.name().isOfPort())
        .forEach(setting -> all.add(setting.toString()));
    state.addresses().forEach(address -> all.add(address.toString()));
    return all.stream().sorted().toList();
  }

  private static DesiredVlan on(String bridge, boolean users, int vni) {
    return onBridge(vlan(vni, 1, 1), bridge, users);
  }

  private void settle(DesiredVlan... vlans) {
    Desired desired = new Desired(List.of(vlans));
    for (int round = 0; round < 4; round++) {
      Plan plan = Plan.between(desired, kernel.dump());
      assertThat(plan.conflicts()).isEmpty();
      if (plan.changes().isEmpty()) {
        return;
      }
      List<Optional<String>> errors = kernel.apply(plan.changes());
      assertThat(errors.stream().flatMap(Optional::stream)).as("errors of\n%s", plan).isEmpty();
    }
    throw new AssertionError("does not settle:\n" + Plan.between(desired, kernel.dump()));
  }
}
