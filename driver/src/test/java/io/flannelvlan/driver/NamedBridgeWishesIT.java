package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.driver.Endpoint.State;
import io.flannelvlan.driver.kernel.Desired;
import io.flannelvlan.driver.kernel.KernelLink;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.driver.kernel.LinkAddress;
import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.firewall.NamedBridge;
import io.flannelvlan.firewall.NamedBridge.Member;
import io.flannelvlan.firewall.PortGroup;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.SubnetLayout;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.Vxlan;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.Vni;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the firewall should hold of a bridge that VLANs may share. */
class NamedBridgeWishesIT {

  private static final TestingEtcd SERVER = TestingEtcd.started();
  private static final Etcd ETCD = SERVER.client();
  private static final NetworkConfig CONFIG =
      new NetworkConfig(
          SubnetLayout.of(Cidr.parse("10.2.0.0/16")),
          new Vxlan(new Vni(2), 8472, OptionalInt.empty(), false, false, false));

  @TempDir Path state;
  private TestingDriver driver;

  @BeforeEach
  void start() {
    TestingDriver.record(
        state,
        List.of(Records.network("vlan002", false)),
        List.of(Records.links("vlan002", 1450, "br-tun1", false)),
        List.of(Records.endpoint("a", "vlan002", State.JOINED)));
    driver = new TestingDriver(ETCD, state);
  }

  @AfterEach
  void stop() {
    driver.close();
  }

  @AfterAll
  static void end() {
    ETCD.close();
    SERVER.close();
  }

  @Test
  void whoIsOnANamedBridgeIsToldByItsEndpointsAndOfAnUnknownVlanByItsPorts() {
    Vlan vlan = driver.store.create("vlan002", CONFIG);
    driver.vlans.join(vlan, Cidr.parse("10.2.20.0/24"), TestingDriver.HERE);
    KernelLink port =
        new KernelLink(
            "fvx",
            new KernelLink.Veth(true),
            Optional.empty(),
            1450,
            true,
            Optional.of("br-tun1"),
            "flannelvlan vlan003",
            PortGroup.of(new Vni(3)));
    KernelLink bridge =
        new KernelLink(
            "br-tun1", new KernelLink.Bridge(), Optional.empty(), 1450, true, Optional.empty(), "");
    KernelState state =
        new KernelState(
            Map.of("fvx", port, "br-tun1", bridge),
            Set.of(
                new LinkAddress("br-tun1", InterfaceAddress.parse("10.3.20.1/24")),
                new LinkAddress("br-tun1", InterfaceAddress.parse("192.168.5.1/24")),
                new LinkAddress("flannel.3", InterfaceAddress.parse("10.3.20.0/32"))),
            Set.of(),
            Set.of(),
            Set.of(),
            Set.of());
    Member known =
        new Member(
            "vlan002",
            new Vni(2),
            Set.of(Cidr.parse("10.2.20.0/24")),
            Optional.of(Set.of(Records.endpoint("a", "vlan002", State.JOINED).mac())));
    Member fenced =
        new Member("vlan003", new Vni(3), Set.of(Cidr.parse("10.3.20.0/24")), Optional.empty());
    assertThat(wishes(() -> Desired.Extent.HAD_BACK).desired(state).firewall().named())
        .containsExactly(new NamedBridge("br-tun1", List.of(known, fenced)));
    assertThat(wishes(() -> Desired.Extent.ALL).desired(state).firewall().named())
        .as("what is taken down reaches nobody until it is gone")
        .containsExactly(new NamedBridge("br-tun1", List.of(known)));
  }

  private Wishes wishes(Supplier<Desired.Extent> extent) {
    return new Wishes(
        driver.vlans, driver.networks, driver.endpoints, driver.bridges, extent, true);
  }
}
