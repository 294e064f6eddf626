package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.driver.Endpoint.State;
import io.flannelvlan.driver.kernel.KernelLink;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What stays though Docker does not know it. */
class HoldingsIT {

  /** Nobody answers there: none of this needs etcd. */
  private static final TestingEtcd AWAY = TestingEtcd.neverStarted();

  private static final Etcd ETCD = AWAY.client();
  private static final IpAddress ADDRESS = IpAddress.parse("10.2.20.77");
  private static final KernelLink KNOWN = Seen.inSandbox("a", "vlan002");

  @TempDir Path state;
  private TestingDriver driver;

  @BeforeEach
  void start() {
    TestingDriver.record(
        state,
        List.of(Records.network("vlan002", false)),
        List.of(),
        List.of(Records.endpoint("a", "vlan002", State.JOINED)));
    open(KernelState.empty());
  }

  @AfterEach
  void stop() {
    driver.close();
  }

  @AfterAll
  static void end() {
    ETCD.close();
    AWAY.close();
  }

  @Test
  void anAddressIsNotInUseWhereEachSandboxHasARecord() {
    assertThat(inUse(Seen.links(KNOWN))).isFalse();
    assertThat(inUse(KernelState.empty())).isFalse();
  }

  @Test
  void anAddressMayBeThatOfASandboxOfWhichNoRecordTells() {
    assertThat(inUse(Seen.links(KNOWN, Seen.inSandbox("b", "vlan002")))).isTrue();
  }

  @Test
  void anAddressMayBeInUseAsLongAsRecordsAreLost() {
    driver.close();
    state = state.resolve("new");
    open(Seen.links(KNOWN));
    assertThat(inUse(KernelState.empty())).isTrue();
    driver.lost.found();
    assertThat(inUse(KernelState.empty())).isFalse();
  }

  private void open(KernelState found) {
    driver = new TestingDriver(ETCD, state, found);
    driver.addresses.take(Cidr.parse("10.2.0.0/16"), Cidr.parse("10.2.20.0/24"), ADDRESS);
  }

  private boolean inUse(KernelState kernel) {
    Held held = new Held.OfAddress(driver.addresses.get(ADDRESS).orElseThrow());
    return driver.holdings(kernel).isInUse(held);
  }
}
