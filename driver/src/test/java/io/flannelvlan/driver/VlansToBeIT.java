package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.flannel.FlannelKeys;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanException;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.Vni;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VlansToBeIT {

  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Vlan VLAN =
      new Vlan("vlan002", NetworkConfig.of(Cidr.parse("10.2.0.0/16"), new Vni(2)));

  private final TestingEtcd server = TestingEtcd.started();
  private final Etcd etcd = server.client();
  private final VlanStore store =
      new VlanStore(
          etcd, new FlannelKeys(FlannelKeys.DEFAULT_PREFIX), new Random(1), InstantSource.system());

  @TempDir Path state;

  @AfterEach
  void end() {
    etcd.close();
    server.close();
  }

  @Test
  void oneThatWasNeverJoinedIsTakenBackAlsoAfterARestart() {
    try (Journal journal = Journal.open(state)) {
      // The process ends here, or etcd answered too late.
      new VlansToBe(store, journal).make(VLAN);
    }
    try (Journal journal = Journal.open(state)) {
      VlansToBe making = new VlansToBe(store, journal);
      assertThat(store.find("vlan002")).isPresent();
      making.takeBackAll(_ -> false);
      assertNothingIsLeft();
      store.create("vlan002", VLAN.config());
      making.takeBackAll(_ -> false);
      assertThat(store.find("vlan002")).as("that is another's").isPresent();
    }
  }

  @Test
  void oneThatIsJoinedStays() {
    try (Journal journal = Journal.open(state)) {
      VlansToBe making = new VlansToBe(store, journal);
      makeAndJoin(making, journal);
      making.takeBackAll(_ -> false);
      assertThat(store.find("vlan002")).isPresent();
    }
  }

  @Test
  void whatWasInItsWayStays() {
    Vlan other = new Vlan("other", NetworkConfig.of(Cidr.parse("10.3.0.0/16"), new Vni(2)));
    store.create("other", other.config());
    try (Journal journal = Journal.open(state)) {
      VlansToBe making = new VlansToBe(store, journal);
      assertThatThrownBy(() -> making.make(VLAN)).isInstanceOf(VlanException.class);
      making.takeBackAll(_ -> false);
      assertThat(store.find("other")).isPresent();
    }
  }

  @Test
  void whatCantBeTakenBackNowIsTakenBackLater() {
    try (Journal journal = Journal.open(state)) {
      VlansToBe making = new VlansToBe(store, journal);
      makeAndJoin(making, journal);
      server.kill();
      Waiting.until("away", PATIENCE, () -> !etcd.isReachable());
      making.takeBack(VLAN);
      making.takeBackAll(_ -> false);
      server.start();
      Waiting.until("etcd answers", PATIENCE, etcd::isReachable);
      making.takeBackAll(_ -> false);
      assertNothingIsLeft();
    }
  }

  private static void makeAndJoin(VlansToBe making, Journal journal) {
    making.make(VLAN);
    Batch batch = new Batch();
    making.joined(batch, "vlan002");
    journal.commit(batch);
  }

  private void assertNothingIsLeft() {
    assertThat(store.find("vlan002")).isEmpty();
    assertThat(etcd.range("/flannelvlan/networks/").entries()).isEmpty();
  }
}
