package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.etcd.Txn;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.flannel.FlannelFormatException;
import io.flannelvlan.flannel.FlannelJson;
import io.flannelvlan.flannel.FlannelKeys;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanException;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
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
      new VlansToBe(store, vlans(journal), journal).make(VLAN);
    }
    try (Journal journal = Journal.open(state)) {
      VlansToBe making = new VlansToBe(store, vlans(journal), journal);
      assertThat(store.find("vlan002")).isPresent();
      making.takeBackAll();
      assertNothingIsLeft();
      store.create("vlan002", VLAN.config());
      making.takeBackAll();
      assertThat(store.find("vlan002")).as("that is another's").isPresent();
    }
  }

  @Test
  void oneThatIsJoinedStays() {
    try (Journal journal = Journal.open(state)) {
      VlansToBe making = new VlansToBe(store, vlans(journal), journal);
      makeAndJoin(making, journal);
      making.takeBackAll();
      assertThat(store.find("vlan002")).isPresent();
    }
  }

  @Test
  void whatWasInItsWayStays() {
    Vlan other = new Vlan("other", NetworkConfig.of(Cidr.parse("10.3.0.0/16"), new Vni(2)));
    store.create("other", other.config());
    try (Journal journal = Journal.open(state)) {
      VlansToBe making = new VlansToBe(store, vlans(journal), journal);
      assertThatThrownBy(() -> making.make(VLAN)).isInstanceOf(VlanException.class);
      making.takeBackAll();
      assertThat(store.find("other")).isPresent();
    }
  }

  @Test
  void whatCantBeTakenBackNowIsTakenBackLater() {
    try (Journal journal = Journal.open(state)) {
      VlansToBe making = new VlansToBe(store, vlans(journal), journal);
      makeAndJoin(making, journal);
      server.kill();
      Waiting.until("away", PATIENCE, () -> !etcd.isReachable());
      making.takeBack(VLAN);
      making.takeBackAll();
      server.start();
      Waiting.until("etcd answers", PATIENCE, etcd::isReachable);
      making.takeBackAll();
      assertNothingIsLeft();
    }
  }

  /** A crash, a full disk, or an etcd that fell silent between the lease and the record. */
  @Test
  void oneWithALeaseThatNobodyUsesIsTakenBackOnceTheLeaseIs() {
    try (Journal journal = Journal.open(state);
        HostVlans vlans = vlans(journal)) {
      VlansToBe making = new VlansToBe(store, vlans, journal);
      making.make(VLAN);
      assertThatThrownBy(() ->
              vlans.join(
                  VLAN,
                  Cidr.parse("10.2.20.0/24"),
                  IpAddress.parse("198.51.100.11"),
                  (_, _) -> {
                    throw new IllegalStateException("here it ended");
                  }))
          .hasMessage("here it ended");
      assertThat(store.leases(VLAN).bySubnet()).hasSize(1);
      server.kill();
      Waiting.until("away", PATIENCE, () -> !etcd.isReachable());
      making.takeBack(VLAN);
      server.start();
      Waiting.until("etcd answers", PATIENCE, etcd::isReachable);
      making.takeBackAll();
      assertThat(store.leases(VLAN).bySubnet()).isEmpty();
      assertNothingIsLeft();
    }
  }

  @Test
  void aConfigThatNobodyCanReadIsNotOursAndInNobodysWay() {
    String key = "/coreos.com/network/vlan002/config";
    try (Journal journal = Journal.open(state);
        HostVlans vlans = vlans(journal)) {
      VlansToBe making = new VlansToBe(store, vlans, journal);
      etcd.txn(Txn.when().put(key, "{\"Network\":"));
      assertThatThrownBy(() -> making.make(VLAN)).isInstanceOf(FlannelFormatException.class);
      // Its owner puts it right, and it is just what was asked for here.
      etcd.txn(Txn.when().put(key, FlannelJson.write(VLAN.config())));
      making.takeBackAll();
      assertThat(store.find("vlan002")).isPresent();
    }
    try (Journal journal = Journal.open(state.resolve("other"));
        HostVlans vlans = vlans(journal)) {
      VlansToBe making = new VlansToBe(store, vlans, journal);
      etcd.txn(Txn.when().delete(key));
      making.make(VLAN);
      etcd.txn(Txn.when().put(key, "{\"Network\":"));
      making.takeBackAll();
      assertThat(etcd.get(key)).isPresent();
    }
  }

  private static void makeAndJoin(VlansToBe making, Journal journal) {
    making.make(VLAN);
    Batch batch = new Batch();
    making.joined(batch, "vlan002");
    journal.commit(batch);
  }

  private HostVlans vlans(Journal journal) {
    return new HostVlans(store, journal, new Random(2), InstantSource.system(), () -> {});
  }

  private void assertNothingIsLeft() {
    assertThat(store.find("vlan002")).isEmpty();
    assertThat(etcd.range("/flannelvlan/networks/").entries()).isEmpty();
  }
}
