package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.dockerplugin.EndpointId;
import io.flannelvlan.dockerplugin.NetworkApi.CreateNetworkRequest;
import io.flannelvlan.dockerplugin.NetworkApi.DeleteEndpointRequest;
import io.flannelvlan.dockerplugin.NetworkApi.DeleteNetworkRequest;
import io.flannelvlan.dockerplugin.NetworkApi.IpamData;
import io.flannelvlan.dockerplugin.NetworkApi.NetworkOptions;
import io.flannelvlan.dockerplugin.NetworkId;
import io.flannelvlan.driver.kernel.KernelView;
import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.LeaseAttributes;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.Wish;
import io.flannelvlan.ipam.Pool;
import io.flannelvlan.ipam.Pools;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import io.flannelvlan.netlink.Rtnl;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Networks that come while the kernel takes nothing, as nobody works on it here. */
class NetworksIT {

  private static final TestingEtcd SERVER = TestingEtcd.started();
  private static final Etcd ETCD = SERVER.client();
  private static final Cidr RANGE = Cidr.parse("10.2.0.0/16");
  private static final Cidr SUBNET = Cidr.parse("10.2.20.0/24");
  private static final IpAddress RUNNING = IpAddress.parse("10.2.20.7");
  private static final Vlan VLAN = new Vlan("vlan002", NetworkConfig.of(RANGE, new Vni(2)));

  @TempDir Path state;
  private TestingDriver driver;

  @BeforeEach
  void start() {
    SERVER.ctl("del", "", "--from-key=true");
    driver = new TestingDriver(ETCD, state.resolve("first"));
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
  void aCreationThatFailsLeavesNothing() {
    refuseCreation();
    assertThat(driver.networks.all()).isEmpty();
    assertThat(driver.vlans.all()).isEmpty();
    assertThat(ETCD.range("/coreos.com/network/").entries()).isEmpty();
  }

  @Test
  void aRangeThatWasLeftToUsAndBecameAnothersIsNotJoined() {
    for (boolean chosen : List.of(true, false)) {
      driver.close();
      Path own = state.resolve("chosen " + chosen);
      try (Journal journal = Journal.open(own)) {
        Pool pool = new Pool(RANGE, Optional.empty(), SUBNET, SUBNET, Instant.now(), chosen);
        journal.commit(new Batch().put(journal.table("pool", Pool.class), RANGE.toString(), pool));
      }
      driver = new TestingDriver(ETCD, own);
      driver.store.create(VLAN.name(), VLAN.config());
      driver.store.acquire(
          VLAN,
          LeaseAttributes.vxlan(
              IpAddress.parse("198.51.100.12"), new Vni(2), new MacAddress(0x020000000012L)),
          Wish.exactly(Cidr.parse("10.2.30.0/24")));
      assertThatThrownBy(() -> driver.networks.create(request()))
          .hasMessageContaining(chosen ? "of another host now" : "the reconciler is closed");
      assertThat(driver.vlans.all()).isEmpty();
    }
  }

  @Test
  void aCreationThatFailsLeavesTheLeaseAndTheAddressesThatStoodBefore() {
    loseStateUnderAContainer();
    refuseCreation();
    assertThat(driver.networks.all()).isEmpty();
    assertThat(leases()).containsExactly(SUBNET);
    assertThat(ETCD.range("/flannelvlan/addresses/vlan002/").entries()).hasSize(1);
    assertThat(driver.addresses.get(RUNNING)).isPresent();
  }

  @Test
  void aNetworkIsTakenOverWithItsAddressesThoughTheKernelIsLate() {
    loseStateUnderAContainer();
    assertThat(driver.networks.takeOver(request(), () -> false)).isTrue();
    assertThat(driver.networks.isWhole("net1")).isTrue();
    assertThat(driver.addresses.get(RUNNING)).isPresent();
    assertThat(driver.networks.takeOver(request(), () -> false)).isTrue();
  }

  @Test
  void aNetworkThatIsOverByNowIsNotTakenOver() {
    loseStateUnderAContainer();
    assertThat(driver.networks.takeOver(request(), () -> true)).isFalse();
    assertThat(driver.networks.all()).isEmpty();
    assertThat(driver.vlans.all()).isEmpty();
    assertThat(leases()).containsExactly(SUBNET);
  }

  @Test
  void anEndpointThatDockerdSpokeOfSinceIsNotTakenOver() {
    loseStateUnderAContainer();
    driver.networks.takeOver(request(), () -> false);
    Endpoint running =
        new Endpoint(
            "e1",
            "net1",
            new InterfaceAddress(RUNNING, 24),
            MacAddress.ofEndpoint(RUNNING),
            Endpoint.State.JOINED,
            "",
            List.of(),
            Instant.EPOCH);
    Duration asked = driver.calls.now();
    driver.driver.deleteEndpoint(
        new DeleteEndpointRequest(new NetworkId("net1"), new EndpointId("e1")));
    assertThat(driver.driver.takeOver(running, List.of(), asked)).isFalse();
    assertThat(driver.endpoints.all()).isEmpty();
    assertThat(driver.driver.takeOver(running, List.of(), driver.calls.now())).isTrue();
    assertThat(driver.endpoints.all()).containsExactly(running);
  }

  @Test
  void aNetworkThatDockerdDeletesMeanwhileIsNotTakenOver() {
    loseStateUnderAContainer();
    Duration asked = driver.calls.now();
    driver.driver.deleteNetwork(new DeleteNetworkRequest(new NetworkId("net1")));
    assertThat(driver.driver.takeOver(request(), asked)).isFalse();
    assertThat(driver.networks.all()).isEmpty();
  }

  @Test
  void whatCanNotFollowTheUnderlayIsTriedAgainAndTheOldWaysAreCutOnce() {
    loseStateUnderAContainer();
    driver.networks.takeOver(request(), () -> false);
    AtomicInteger cuts = new AtomicInteger();
    HostUnderlay moved =
        new HostUnderlay(
            "lo",
            Optional.of(IpAddress.parse("198.51.100.77")),
            new KernelView(Rtnl.open()),
            _ -> false);
    UnderlayMoves moves = driver.moves(moved, cuts::incrementAndGet);
    driver.closeJournal();
    for (int i = 0; i < 3; i++) {
      assertThat(moves.follow()).isFalse();
    }
    assertThat(cuts).hasValue(1);
    assertThat(driver.vlans.byName("vlan002").orElseThrow().publicAddress())
        .isEqualTo(TestingDriver.HERE);
  }

  @Test
  void aNetworkWhoseVlanADamagedJournalLostIsTakenOverAgain() {
    loseStateUnderAContainer();
    driver.close();
    Network known = new Network("net1", "vlan002", Map.of(), RANGE, false, false, Instant.EPOCH);
    TestingDriver.record(state.resolve("second"), List.of(known), List.of(), List.of());
    driver = new TestingDriver(ETCD, state.resolve("second"));
    assertThat(driver.networks.isWhole("net1")).isFalse();
    assertThat(driver.networks.takeOver(request(), () -> false)).isTrue();
    assertThat(driver.networks.isWhole("net1")).isTrue();
  }

  /** The lease and one address stand in etcd, and this host knows nothing of them. */
  private void loseStateUnderAContainer() {
    driver.store.create(VLAN.name(), VLAN.config());
    driver.vlans.join(VLAN, SUBNET, TestingDriver.HERE);
    driver.addresses.take(RANGE, SUBNET, RUNNING);
    driver.close();
    driver = new TestingDriver(ETCD, state.resolve("second"));
    assertThat(driver.addresses.get(RUNNING)).isEmpty();
  }

  private void refuseCreation() {
    assertThatThrownBy(() -> driver.networks.create(request()))
        .hasMessage("the reconciler is closed");
  }

  private List<Cidr> leases() {
    return driver.store.leases(VLAN).of(TestingDriver.HERE).stream().map(Lease::subnet).toList();
  }

  private static CreateNetworkRequest request() {
    return new CreateNetworkRequest(
        new NetworkId("net1"),
        new NetworkOptions(Map.of("vni", "2"), false, /* enableIpv4= */ true, false),
        List.of(
            new IpamData(
                Pools.ADDRESS_SPACE,
                RANGE,
                Optional.of(InterfaceAddress.parse("10.2.20.1/24")),
                Map.of())),
        List.of());
  }
}
