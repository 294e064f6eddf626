package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.driver.Endpoint.State;
import io.flannelvlan.driver.kernel.Desired.Extent;
import io.flannelvlan.driver.kernel.KernelLink;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When a host that lost its records, and where nobody is at Docker's socket, goes on. */
class WithoutDockerIT {

  private static final TestingEtcd SERVER = TestingEtcd.started();
  private static final Etcd ETCD = SERVER.client();
  private static final String POD = "0123456789ab";
  private static final KernelLink BRIDGE = Seen.bridge("fvbr.2", "vlan002");
  private static final KernelLink PODS = Seen.inSandbox(POD, "vlan002");

  @TempDir Path state;
  private final AtomicInteger passes = new AtomicInteger();
  private TestingDriver driver;

  /** The state directory is new, and the kernel has links: the loss is noted. */
  @BeforeEach
  void lose() {
    SERVER.ctl("del", "", "--from-key=true");
    driver = new TestingDriver(ETCD, state, Seen.links(BRIDGE, PODS));
    assertThat(driver.lost.extent()).isEqualTo(Extent.BEGUN);
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
  void oncePodsAccountForAllLinksNoneIsMissingAndDockerMayTellLater() {
    haveBackPods();
    look(Seen.links(BRIDGE, PODS));
    assertThat(driver.lost.extent()).isEqualTo(Extent.ALL);
    assertThat(driver.lost.isLost()).isTrue();
    assertThat(passes).hasValue(1);
    reopen();
    assertThat(driver.lost.extent()).isEqualTo(Extent.ALL);
  }

  @Test
  void afterARebootNothingIsMissing() {
    look(KernelState.empty());
    assertThat(driver.lost.extent()).isEqualTo(Extent.ALL);
  }

  @Test
  void podsThatAreNotHadBackYetAreWaitedFor() {
    look(Seen.links(BRIDGE, PODS));
    assertThat(driver.lost.extent()).isEqualTo(Extent.BEGUN);
    assertThat(passes).hasValue(0);
  }

  @Test
  void aSandboxThatNoPodHasMayBeDockersAndKeepsAllAsItIs() {
    haveBackPods();
    look(Seen.links(BRIDGE, PODS, Seen.inSandbox("ba9876543210", "vlan002")));
    assertThat(driver.lost.extent()).isEqualTo(Extent.BEGUN);
  }

  @Test
  void anEngineThatWasKnownIsOnlyAway() {
    haveBackPods();
    driver.engine.learn("the engine's id");
    look(Seen.links(BRIDGE, PODS));
    assertThat(driver.lost.extent()).isEqualTo(Extent.BEGUN);
  }

  @Test
  void aNetworkOfDockersMeansADockerThatIsOnlyAway() {
    haveBackPods();
    record(Records.network("vlan002", false));
    look(Seen.links(BRIDGE, PODS));
    assertThat(driver.lost.extent()).isEqualTo(Extent.BEGUN);
  }

  @Test
  void aVlanOfWhichNobodyTellsStaysAndKeepsNoOtherFromTheFirewall() {
    haveBackPods();
    KernelState all = Seen.links(BRIDGE, PODS, Seen.bridge("fvbr.9", "vlan009"));
    look(all);
    assertThat(driver.lost.extent()).isEqualTo(Extent.HAD_BACK);
    look(all);
    assertThat(passes).hasValue(1);
    look(Seen.links(BRIDGE, PODS));
    assertThat(driver.lost.extent()).isEqualTo(Extent.ALL);
  }

  private void look(KernelState kernel) {
    new WithoutDocker(
            driver.networks,
            driver.endpoints,
            driver.engine,
            driver.lost,
            () -> kernel,
            passes::incrementAndGet)
        .look();
  }

  /** As CNI's records do, once etcd has told. */
  private void haveBackPods() {
    Network network =
        new Network(
            CniNetworks.id("vlan002"),
            "vlan002",
            Map.of(),
            Cidr.parse("10.2.0.0/16"),
            /* dockersIpam= */ false,
            /* internal= */ false,
            Instant.EPOCH);
    record(network);
    Vlan vlan =
        driver.store.create("vlan002", NetworkConfig.of(Cidr.parse("10.2.0.0/16"), new Vni(2)));
    driver.vlans.join(vlan, Cidr.parse("10.2.20.0/24"), TestingDriver.HERE);
    InterfaceAddress address = InterfaceAddress.parse("10.2.20.2/24");
    driver.endpoints.takeOver(
        new Endpoint(
            POD,
            network.id(),
            address,
            MacAddress.ofEndpoint(address.address()),
            State.JOINED,
            "/run/netns/pod",
            List.of(),
            Instant.EPOCH));
  }

  private void record(Network network) {
    driver.close();
    TestingDriver.record(
        state,
        List.of(network),
        List.of(Records.links("vlan002", 1450, "fvbr.2", false)),
        List.of());
    driver = new TestingDriver(ETCD, state);
  }

  private void reopen() {
    driver.close();
    driver = new TestingDriver(ETCD, state);
  }
}
