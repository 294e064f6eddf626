package io.flannelvlan.flannel.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.etcd.KeyValue;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.flannel.FlannelKeys;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.LeaseAttributes;
import io.flannelvlan.flannel.Leases;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanException;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.Wish;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** This host's leases against everything that happens to them in etcd. */
class HostVlansIT {

  private static final TestingEtcd SERVER = TestingEtcd.started();
  private static final Etcd ETCD = SERVER.client();
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final IpAddress HERE = IpAddress.parse("198.51.100.11");
  private static final IpAddress THERE = IpAddress.parse("198.51.100.12");
  private static final Cidr TWENTY = Cidr.parse("10.2.20.0/24");
  private static final String KEY = "/coreos.com/network/vlan002/subnets/10.2.20.0-24";
  private static final Vlan VLAN =
      new Vlan("vlan002", NetworkConfig.of(Cidr.parse("10.2.0.0/16"), new Vni(2)));

  @TempDir Path state;
  private final TestingClock clock = new TestingClock();
  private final AtomicInteger changes = new AtomicInteger();
  private final VlanStore store =
      new VlanStore(ETCD, new FlannelKeys(FlannelKeys.DEFAULT_PREFIX), new Random(1), clock);
  private Journal journal;
  private HostVlans vlans;

  @BeforeEach
  void start() {
    SERVER.ctl("del", "", "--from-key=true");
    store.create(VLAN.name(), VLAN.config());
    open(state.resolve("first"), 1);
  }

  @AfterEach
  void stop() {
    vlans.close();
    journal.close();
  }

  @AfterAll
  static void end() {
    ETCD.close();
    SERVER.close();
  }

  @Test
  void joiningTakesTheLeaseOnceAndShowsAllPeers() {
    HostVlan joined = vlans.join(VLAN, TWENTY, HERE);
    assertThat(vlans.join(VLAN, TWENTY, HERE)).isEqualTo(joined);
    assertThat(vlans.all()).containsExactly(joined);
    assertThat(store.leases(VLAN).at(TWENTY).orElseThrow().attributes())
        .isEqualTo(LeaseAttributes.vxlan(HERE, new Vni(2), joined.vtepMac()));
    await("the own lease is known", known -> known.at(TWENTY).isPresent());
    Lease peer = peer("10.2.30.0/24");
    await("the peer is known", known -> known.at(peer.subnet()).isPresent());
    assertThat(changes).hasPositiveValue();
  }

  /** Etcd may answer before the start is over: many starts, since it seldom does. */
  @Test
  void whoeverIsToldOfChangesIsToldOnceTheLeasesCanBeSeen() {
    vlans.join(VLAN, TWENTY, HERE);
    for (int round = 0; round < 100; round++) {
      stop();
      AtomicBoolean seen = new AtomicBoolean();
      journal = Journal.open(state.resolve("first"));
      vlans = new HostVlans(store, journal, new Random(round), clock, () -> {});
      HostVlans next = vlans;
      next.whenChanged(() -> {
        if (next.leases("vlan002").isPresent()) {
          seen.set(true);
        }
      });
      next.start();
      Waiting.until("told and seen", PATIENCE, seen::get);
    }
  }

  @Test
  void aDeletedLeaseIsPutBackWithTheSameSubnetAndMac() {
    HostVlan joined = vlans.join(VLAN, TWENTY, HERE);
    await("the own lease is known", known -> known.at(TWENTY).isPresent());
    for (int i = 0; i < 3; i++) {
      ETCD.delete(KEY);
      Waiting.until("the lease is back", PATIENCE, () -> ETCD.get(KEY).isPresent());
      assertThat(store.leases(VLAN).at(TWENTY)).contains(joined.leases().getFirst());
    }
    assertThat(ETCD.timeToLive(ETCD.get(KEY).orElseThrow().grant()).orElseThrow())
        .isGreaterThan(Duration.ofHours(23));
  }

  @Test
  void anOwnLeaseThatExpiresIsPutBackWithTheSameSubnetAndMacForAnotherDay() {
    HostVlan joined = vlans.join(VLAN, TWENTY, HERE);
    await("the own lease is known", known -> known.at(TWENTY).isPresent());
    KeyValue lease = ETCD.get(KEY).orElseThrow();
    ETCD.put(KEY, lease.value(), ETCD.grant(Duration.ofSeconds(2)));
    Waiting.until(
        "it expired and is back",
        PATIENCE,
        () ->
            ETCD.get(KEY).filter(kv -> kv.createRevision() != lease.createRevision()).isPresent());
    assertThat(store.leases(VLAN).at(TWENTY)).contains(joined.leases().getFirst());
    assertThat(ETCD.timeToLive(ETCD.get(KEY).orElseThrow().grant()).orElseThrow())
        .isGreaterThan(Duration.ofHours(23));
    assertThat(vlans.all()).containsExactly(joined);
  }

  @Test
  void aDamagedOrChangedLeaseIsPutRight() {
    HostVlan joined = vlans.join(VLAN, TWENTY, HERE);
    await("the own lease is known", known -> known.at(TWENTY).isPresent());
    for (String value : List.of("rubbish", "{}", "{\"PublicIP\":\"198.51.100.11\"}")) {
      ETCD.put(KEY, value);
      Waiting.until(
          "the lease is right again",
          PATIENCE,
          () -> store.leases(VLAN).at(TWENTY).equals(Optional.of(joined.leases().getFirst())));
    }
  }

  @Test
  void aLeaseThatAnotherHostTookIsNotOverwrittenAndTheRestGoesOn() {
    HostVlan joined = vlans.join(VLAN, TWENTY, HERE);
    HostVlan wider = vlans.joinFurther(joined);
    Lease second = wider.leases().get(1);
    Lease theirs = lease(THERE, TWENTY.toString());
    store.update(VLAN, joined.leases().getFirst(), theirs.attributes());
    await("the other holder is known", known -> known.at(TWENTY).equals(Optional.of(theirs)));
    ETCD.delete(key(second.subnet()));
    Waiting.until(
        "the second lease is put back", PATIENCE, () -> ETCD.get(key(second.subnet())).isPresent());
    assertThat(store.leases(VLAN).at(TWENTY)).contains(theirs);
    ETCD.delete(KEY);
    Waiting.until(
        "the first is ours again",
        PATIENCE,
        () -> store.leases(VLAN).at(TWENTY).equals(Optional.of(joined.leases().getFirst())));
  }

  @Test
  void aLeaseIsRenewedWhenItIsDueAndNotBefore() {
    vlans.join(VLAN, TWENTY, HERE);
    await("the own lease is known", known -> known.at(TWENTY).isPresent());
    KeyValue first = ETCD.get(KEY).orElseThrow();
    Lease peer = peer("10.2.30.0/24");
    await("the keeper looked", known -> known.at(peer.subnet()).isPresent());
    clock.advance(Duration.ofHours(22));
    Lease next = peer("10.2.31.0/24");
    await("the keeper looked", known -> known.at(next.subnet()).isPresent());
    assertThat(ETCD.get(KEY).orElseThrow().grant()).isEqualTo(first.grant());

    clock.advance(Duration.ofMinutes(61));
    peer("10.2.32.0/24");
    Waiting.until(
        "it is renewed", PATIENCE, () -> ETCD.get(KEY).orElseThrow().grant() != first.grant());
    assertThat(ETCD.get(KEY).orElseThrow().value()).isEqualTo(first.value());
  }

  @Test
  void aClockThatIsSetBackPutsOffNoRenewal() {
    vlans.join(VLAN, TWENTY, HERE);
    await("the own lease is known", known -> known.at(TWENTY).isPresent());
    KeyValue first = ETCD.get(KEY).orElseThrow();
    Lease peer = peer("10.2.30.0/24");
    await("the keeper looked", known -> known.at(peer.subnet()).isPresent());
    clock.advance(Duration.ofHours(-20));
    Lease next = peer("10.2.31.0/24");
    await("the keeper looked", known -> known.at(next.subnet()).isPresent());
    clock.advance(Duration.ofMinutes(23 * 60 + 1));
    peer("10.2.32.0/24");
    Waiting.until(
        "it is renewed", PATIENCE, () -> ETCD.get(KEY).orElseThrow().grant() != first.grant());
  }

  @Test
  void leavingReleasesAllLeasesAndTheSameAreWishedForAgain() {
    HostVlan wider = vlans.joinFurther(vlans.join(VLAN, TWENTY, HERE));
    vlans.leave("vlan002");
    vlans.leave("vlan002");
    assertThat(store.leases(VLAN).bySubnet()).isEmpty();
    assertThat(vlans.all()).isEmpty();
    assertThat(vlans.leases("vlan002")).isEmpty();
    assertThat(vlans.remembered("vlan002")).isEqualTo(wider.subnets());
    assertThat(vlans.join(VLAN, TWENTY, HERE).vtepMac()).isEqualTo(wider.vtepMac());
    assertThat(vlans.remembered("vlan002")).isEmpty();
  }

  @Test
  void whatWasLeftWhileEtcdWasAwayIsGivenBackWhenItReturnsAlsoAfterARestart() {
    for (boolean restart : List.of(false, true)) {
      vlans.joinFurther(vlans.join(VLAN, TWENTY, HERE));
      leaveWithoutEtcd(restart);
      assertThat(vlans.all()).isEmpty();
      Waiting.until(
          "both leases are given back", PATIENCE, () -> store.leases(VLAN).bySubnet().isEmpty());
      Waiting.until("nothing more is to be given back", PATIENCE, () -> vlans.leaving().isEmpty());
    }
  }

  @Test
  void whoComesBackBeforeTheLeaseIsGivenBackKeepsIt() {
    HostVlan wider = vlans.joinFurther(vlans.join(VLAN, TWENTY, HERE));
    leaveWithoutEtcd(false);
    assertThat(vlans.join(VLAN, TWENTY, HERE).subnets()).containsExactly(TWENTY);
    Waiting.until("the rest is given back", PATIENCE, () -> vlans.leaving().isEmpty());
    assertThat(store.leases(VLAN).bySubnet().values()).containsExactly(wider.leases().getFirst());
  }

  @Test
  void aLeaseThatAFrozenEtcdGrantsTooLateIsGivenBack() {
    SERVER.freeze();
    try {
      assertThatThrownBy(() -> vlans.join(VLAN, TWENTY, HERE)).isInstanceOf(EtcdException.class);
    } finally {
      SERVER.thaw();
    }
    Waiting.until("etcd answers again", PATIENCE, ETCD::isReachable);
    Waiting.until("nothing more is to be given back", PATIENCE, () -> vlans.leaving().isEmpty());
    assertThat(store.leases(VLAN).bySubnet()).isEmpty();
    assertThat(vlans.join(VLAN, TWENTY, HERE).subnets()).containsExactly(TWENTY);
    assertThat(vlans.leaving()).isEmpty();
  }

  @Test
  void aLeaseThatEtcdHasAndTheJournalForgotIsTakenOver() {
    HostVlan joined = vlans.join(VLAN, TWENTY, HERE);
    stop();
    Cidr thirty = Cidr.parse("10.2.30.0/24");
    Cidr forty = Cidr.parse("10.2.40.0/24");
    LeaseAttributes ours = joined.leases().getFirst().attributes();
    LeaseAttributes anothers =
        LeaseAttributes.vxlan(HERE, new Vni(2), new MacAddress(0x020000000099L));
    store.acquireAnother(VLAN, ours, Wish.exactly(thirty));
    store.acquireAnother(VLAN, anothers, Wish.exactly(forty));
    open(state.resolve("first"), 1);
    Waiting.until(
        "it is taken over",
        PATIENCE,
        () -> vlans.byName("vlan002").orElseThrow().subnets().contains(thirty));
    // What has our address and another MAC may be a flanneld's of this host.
    assertThat(vlans.byName("vlan002").orElseThrow().subnets()).containsExactly(TWENTY, thirty);
  }

  private void leaveWithoutEtcd(boolean restart) {
    SERVER.stop();
    try {
      Waiting.until("etcd is known to be away", PATIENCE, () -> !ETCD.isReachable());
      vlans.leave("vlan002");
      if (restart) {
        stop();
        open(state.resolve("first"), 1);
      }
    } finally {
      SERVER.start();
    }
    Waiting.until("etcd is known to be back", PATIENCE, ETCD::isReachable);
  }

  @Test
  void aVlanThatIsBeingLeftGivesNoFurtherSubnet() {
    HostVlan joined = vlans.join(VLAN, TWENTY, HERE);
    vlans.leave("vlan002");
    assertThatThrownBy(() -> vlans.joinFurther(joined))
        .isInstanceOf(VlanException.class)
        .hasMessage("this host has left VLAN vlan002: its last network was removed");
  }

  @Test
  void aLeaseIsNotPutBackAfterLeaving() {
    vlans.join(VLAN, TWENTY, HERE);
    await("the own lease is known", known -> known.at(TWENTY).isPresent());
    vlans.leave("vlan002");
    store.acquire(VLAN, lease(THERE, "10.2.20.0/24").attributes(), Wish.exactly(TWENTY));
    assertThat(store.leases(VLAN).at(TWENTY).orElseThrow().publicIp()).isEqualTo(THERE);
  }

  @Test
  void withTheStateLostTheLeaseInEtcdGivesTheSameMac() {
    HostVlan before = vlans.join(VLAN, TWENTY, HERE);
    stop();
    open(state.resolve("second"), 2);
    assertThat(vlans.all()).isEmpty();
    assertThat(vlans.join(VLAN, TWENTY, HERE)).isEqualTo(before);
    assertThat(store.leases(VLAN).bySubnet()).hasSize(1);
  }

  @Test
  void aSubnetOfAnotherHostIsRefusedAndNothingIsKept() {
    peer("10.2.20.0/24");
    assertThatThrownBy(() -> vlans.join(VLAN, TWENTY, HERE))
        .isInstanceOf(VlanException.class)
        .hasMessageContaining("10.2.20.0/24 is held by host 198.51.100.12");
    assertThat(vlans.all()).isEmpty();
  }

  @Test
  void callersThatFindItFullTogetherTakeOneMoreLease() {
    HostVlan joined = vlans.join(VLAN, TWENTY, HERE);
    HostVlan wider = vlans.joinFurther(joined);
    assertThat(wider.subnets()).hasSize(2);
    assertThat(vlans.joinFurther(joined)).isEqualTo(wider);
    assertThat(vlans.joinFurther(wider).subnets()).hasSize(3);
  }

  @Test
  void withEtcdAwayAtTheStartTheVlanStandsAndPeersAreUnknownUntilItIsBack() {
    HostVlan joined = vlans.join(VLAN, TWENTY, HERE);
    Lease peer = peer("10.2.30.0/24");
    vlans.close();
    journal.close();
    SERVER.stop();
    try {
      Waiting.until("etcd is known to be away", PATIENCE, () -> !ETCD.isReachable());
      open(state.resolve("first"), 3);
      assertThat(vlans.byName("vlan002")).contains(joined);
      assertThat(vlans.byRange(VLAN.range())).contains(joined);
      assertThat(vlans.leases("vlan002")).isEmpty();
      assertThatThrownBy(() -> vlans.joinFurther(joined)).isInstanceOf(EtcdException.class);
    } finally {
      SERVER.start();
    }
    await("the peer is known", known -> known.at(peer.subnet()).isPresent());
  }

  @Test
  void whileEtcdIsAwayThePeersStayKnownAndALeaseLostMeanwhileComesBack() {
    HostVlan joined = vlans.join(VLAN, TWENTY, HERE);
    Lease peer = peer("10.2.30.0/24");
    await("the peer is known", known -> known.at(peer.subnet()).isPresent());
    SERVER.stop();
    Waiting.until("etcd is known to be away", PATIENCE, () -> !ETCD.isReachable());
    assertThat(vlans.leases("vlan002").orElseThrow().at(peer.subnet())).isPresent();
    SERVER.wipe();
    SERVER.start();
    Waiting.until("etcd is known to be back", PATIENCE, ETCD::isReachable);
    Waiting.until(
        "the lease is back",
        PATIENCE,
        () -> store.leases(VLAN).at(TWENTY).equals(Optional.of(joined.leases().getFirst())));
  }

  private void open(Path directory, int seed) {
    journal = Journal.open(directory);
    vlans = new HostVlans(store, journal, new Random(seed), clock, changes::incrementAndGet);
    vlans.start();
  }

  private void await(String claim, Predicate<Leases> such) {
    Waiting.until(claim, PATIENCE, () -> vlans.leases("vlan002").filter(such).isPresent());
  }

  private Lease peer(String subnet) {
    return store.acquireAnother(
        VLAN, lease(THERE, subnet).attributes(), Wish.exactly(Cidr.parse(subnet)));
  }

  private static Lease lease(IpAddress host, String subnet) {
    MacAddress mac = new MacAddress(0x020000000000L + host.low() % 256);
    return new Lease(Cidr.parse(subnet), LeaseAttributes.vxlan(host, new Vni(2), mac));
  }

  private static String key(Cidr subnet) {
    return "/coreos.com/network/vlan002/subnets/" + subnet.base() + "-" + subnet.length();
  }
}
