package io.flannelvlan.flannel.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.EtcdSettings;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.etcd.TestingProxy;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.flannel.FlannelJson;
import io.flannelvlan.flannel.FlannelKeys;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.LeaseAttributes;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three hosts in one VLAN, and an etcd that forgets: the hosts put back what they know, and lose
 * nobody meanwhile.
 */
class EtcdLossIT {

  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final FlannelKeys KEYS = new FlannelKeys(FlannelKeys.DEFAULT_PREFIX);
  static final Vlan VLAN =
      new Vlan("vlan002", NetworkConfig.of(Cidr.parse("10.2.0.0/16"), new Vni(2)));
  private static final String CONFIG = KEYS.config("vlan002");

  private final TestingEtcd server = TestingEtcd.started();
  private final TestingProxy proxy = TestingProxy.to(server.endpoint());
  private final Etcd watcher = server.client();
  private final VlanStore store = store(watcher);
  private final List<Member> members = new ArrayList<>();

  @TempDir Path state;

  @BeforeEach
  void join() {
    store.create("vlan002", VLAN.config());
    for (int number = 1; number <= 3; number++) {
      // The first goes by way of the proxy, so that it alone can lose etcd.
      members.add(new Member(settings(number), state, number));
      members.getLast().join("10.2." + number + "0.0/24");
    }
    awaitPeers(3);
    members.forEach(Member::begin);
  }

  @AfterEach
  void end() {
    members.forEach(Member::close);
    watcher.close();
    proxy.close();
    server.close();
  }

  @Test
  void aWipedEtcdIsRebuiltAndNobodyIsForgottenMeanwhile() {
    Leasing before = leasing();
    server.kill();
    server.wipe();
    awaitAllAway();
    server.start();
    awaitRebuilt(before);
    assertThat(members).allMatch(member -> member.fewest() == 3);
  }

  @Test
  void anEtcdWipedByHandIsRebuiltAndNobodyIsForgottenMeanwhile() {
    Leasing before = leasing();
    for (int i = 0; i < 5; i++) {
      server.ctl("del", "", "--from-key=true");
      awaitRebuilt(before);
    }
    assertThat(members).allMatch(member -> member.fewest() == 3);
  }

  @Test
  void anEtcdRestoredFromAnOldSnapshotIsBroughtUpToDate() {
    Member third = members.get(2);
    server.ctl("snapshot", "save", state.resolve("old.db").toString());
    third.vlans.joinFurther(third.vlans.byName("vlan002").orElseThrow());
    awaitPeers(4);
    members.forEach(Member::begin);
    Leasing before = leasing();
    server.kill();
    awaitAllAway();
    server.restore(state.resolve("old.db"));
    server.start();
    awaitRebuilt(before);
    assertThat(members).allMatch(member -> member.fewest() == 4);
  }

  @Test
  void anEtcdRestoredFromBeforeAMoveLeadsNobodyToTheFormerAddress() {
    Member third = members.get(2);
    server.ctl("snapshot", "save", state.resolve("old.db").toString());
    third.vlans.move("vlan002", IpAddress.parse("198.51.100.99"), new Batch());
    Lease moved = third.vlans.byName("vlan002").orElseThrow().leases().getFirst();
    for (Member member : members) {
      Waiting.until("it is followed", PATIENCE, () -> member.ways().contains(moved));
    }
    Set<Lease> everSeen = ConcurrentHashMap.newKeySet();
    members.forEach(member -> member.vlans.whenChanged(() -> everSeen.addAll(member.ways())));
    server.kill();
    awaitAllAway();
    // The one that moved is the last to be back.
    third.close();
    server.restore(state.resolve("old.db"));
    server.start();
    for (Member member : members.subList(0, 2)) {
      Waiting.until("etcd shows it as it was", PATIENCE, () -> !shows(member, moved));
    }
    members.set(2, new Member(settings(3), state, 3));
    for (Member member : members) {
      Waiting.until("it is put back", PATIENCE, () -> shows(member, moved));
    }
    assertThat(everSeen)
        .filteredOn(lease -> lease.subnet().equals(moved.subnet()))
        .containsExactly(moved);
  }

  @Test
  void aLeaseThatAnOldSnapshotBringsBackIsGivenBackAgain() {
    server.ctl("snapshot", "save", state.resolve("old.db").toString());
    members.get(2).vlans.leave("vlan002");
    assertThat(store.leases(VLAN).bySubnet()).hasSize(2);
    server.kill();
    awaitAllAway();
    server.restore(state.resolve("old.db"));
    server.start();
    Waiting.until("etcd answers", PATIENCE, watcher::isReachable);
    Waiting.until("the third's is gone", PATIENCE, () -> store.leases(VLAN).bySubnet().size() == 2);
    Waiting.until("it is seen", PATIENCE, () -> members.getFirst().peers().size() == 2);
  }

  @Test
  void aHostThatReturnsToARebuiltEtcdForgetsNobodyWhoIsNotBackYet() {
    // Only the second is there to rebuild; the first is cut off, the third is down.
    Set<Cidr> all = members.getFirst().peers();
    proxy.cut();
    members.get(2).close();
    awaitAway(members.getFirst());
    server.ctl("del", "", "--from-key=true");
    Waiting.until("the second is back", PATIENCE, () -> store.leases(VLAN).bySubnet().size() == 1);
    proxy.restore();
    Waiting.until("the first is back", PATIENCE, () -> store.leases(VLAN).bySubnet().size() == 2);
    Waiting.until("it is current", PATIENCE, () -> shown(members.getFirst()) == 2);
    assertThat(members.getFirst().peers()).isEqualTo(all);

    // The third comes back, leaves in order, and now is forgotten.
    members.set(2, new Member(settings(3), state, 3));
    // Seen to be back, too: its end alone says nothing about what was missed before.
    Waiting.until("the third is back", PATIENCE, () -> shown(members.getFirst()) == 3);
    members.get(2).vlans.leave("vlan002");
    Waiting.until("it is gone", PATIENCE, () -> members.getFirst().peers().size() == 2);
  }

  @Test
  void aRestartWhileEtcdIsAwayOrEmptyKnowsTheWayToAllHosts() {
    Member first = members.getFirst();
    Set<Cidr> all = first.peers();
    Waiting.until("it is written", PATIENCE, () -> journal(1).contains("10.2.30.0-24"));
    server.kill();
    awaitAllAway();
    first.close();
    members.get(1).close();
    members.get(2).close();
    server.wipe();

    members.set(0, new Member(server.settings(), state, 1));
    assertThat(members.getFirst().peers()).isEqualTo(all);
    assertThat(members.getFirst().vlans.leases("vlan002")).isEmpty();
    server.start();
    Waiting.until("etcd answers", PATIENCE, watcher::isReachable);
    Waiting.until("it is back", PATIENCE, () -> store.leases(VLAN).bySubnet().size() == 1);
    Waiting.until("it is shown", PATIENCE, () -> shown(members.getFirst()) == 1);
    assertThat(members.getFirst().peers()).isEqualTo(all);
  }

  @Test
  void aPeerWhoseLeaseIsDeletedOrExpiresIsForgotten() {
    Member third = members.get(2);
    Cidr subnet = third.vlans.byName("vlan002").orElseThrow().subnets().getFirst();
    third.close();
    watcher.delete(KEYS.subnets("vlan002") + "/" + subnet.base() + "-24");
    Waiting.until("it is gone", PATIENCE, () -> !members.getFirst().peers().contains(subnet));

    Lease brief = new Lease(Cidr.parse("10.2.77.0/24"), host(77));
    watcher.put(
        KEYS.lease("vlan002", brief.key()),
        FlannelJson.write(brief.attributes()),
        watcher.grant(Duration.ofSeconds(2)));
    Waiting.until("it came", PATIENCE, () -> members.getFirst().peers().contains(brief.subnet()));
    Waiting.until(
        "it expired", PATIENCE, () -> !members.getFirst().peers().contains(brief.subnet()));
  }

  @Test
  void aLostConfigIsPutBackAndAChangedOneIsLeftAlone() {
    String value = watcher.get(CONFIG).orElseThrow().value();
    watcher.delete(CONFIG);
    Waiting.until("it is back", PATIENCE, () -> watcher.get(CONFIG).isPresent());
    assertThat(watcher.get(CONFIG).orElseThrow().value()).isEqualTo(value);

    for (String other :
        List.of("rubbish", value.replace("10.2.", "10.9."), value.replace(":2", ":9"))) {
      watcher.put(CONFIG, other);
      Lease lease = members.getFirst().vlans.byName("vlan002").orElseThrow().leases().getFirst();
      watcher.delete(KEYS.lease("vlan002", lease.key()));
      Waiting.until(
          "the leases are kept", PATIENCE, () -> store.leases(VLAN).at(lease.subnet()).isPresent());
      assertThat(watcher.get(CONFIG).orElseThrow().value()).isEqualTo(other);
      awaitPeers(3);
    }
    watcher.delete(CONFIG);
    Waiting.until("it is back", PATIENCE, () -> watcher.get(CONFIG).isPresent());
    assertThat(watcher.get(CONFIG).orElseThrow().value()).isEqualTo(value);
  }

  @Test
  void aConfigIsNotPutBackOverAVlanThatTookItsNumberMeanwhile() {
    Vlan other = new Vlan("other", NetworkConfig.of(Cidr.parse("10.3.0.0/16"), new Vni(2)));
    proxy.cut();
    members.get(1).close();
    members.get(2).close();
    awaitAway(members.getFirst());
    watcher.delete(CONFIG);
    store.create("other", other.config());
    Lease lease = members.getFirst().vlans.byName("vlan002").orElseThrow().leases().getFirst();
    watcher.delete(KEYS.lease("vlan002", lease.key()));
    proxy.restore();
    Waiting.until("it is back", PATIENCE, () -> store.leases(VLAN).at(lease.subnet()).isPresent());
    assertThat(watcher.get(CONFIG)).isEmpty();
    assertThat(store.leases(VLAN).bySubnet()).hasSize(3);
    assertThatThrownBy(() -> store.create("vlan002", VLAN.config()))
        .hasMessageContaining("VNI 2 belongs to other");
  }

  @Test
  void aHostThatMovesKeepsSubnetAndMacAndItsLeasesFollow() {
    Member first = members.getFirst();
    HostVlan before = first.vlans.byName("vlan002").orElseThrow();
    IpAddress there = IpAddress.parse("198.51.100.99");
    first.vlans.move("vlan002", there, new Batch());
    HostVlan moved = first.vlans.byName("vlan002").orElseThrow();
    assertThat(moved.subnets()).isEqualTo(before.subnets());
    assertThat(moved.vtepMac()).isEqualTo(before.vtepMac());
    assertThat(moved.isAt(before.publicAddress())).isTrue();
    Lease wanted = moved.leases().getFirst();
    Waiting.until(
        "the lease follows",
        PATIENCE,
        () -> store.leases(VLAN).at(wanted.subnet()).equals(Optional.of(wanted)));
    assertThat(store.leases(VLAN).bySubnet()).hasSize(3);
    Waiting.until(
        "the peers know",
        PATIENCE,
        () -> members.get(1).vlans.peers("vlan002").orElseThrow().contains(wanted));
  }

  @Test
  void aHostThatMovesWhileEtcdIsAwayIsFoundAtItsNewAddressAfterwards() {
    Member first = members.getFirst();
    proxy.cut();
    awaitAway(first);
    first.vlans.move("vlan002", IpAddress.parse("198.51.100.98"), new Batch());
    first.vlans.move("vlan002", IpAddress.parse("198.51.100.99"), new Batch());
    first.close();
    members.set(0, new Member(server.settings(), state, 1));
    Lease wanted = members.getFirst().vlans.byName("vlan002").orElseThrow().leases().getFirst();
    assertThat(wanted.publicIp()).isEqualTo(IpAddress.parse("198.51.100.99"));
    Waiting.until(
        "the lease follows",
        PATIENCE,
        () -> store.leases(VLAN).at(wanted.subnet()).equals(Optional.of(wanted)));
  }

  @Test
  void aFormerAddressThatIsAnotherHostsNowGivesNoRightToItsLeases() {
    Member first = members.getFirst();
    HostVlan before = first.vlans.byName("vlan002").orElseThrow();
    first.vlans.move("vlan002", IpAddress.parse("198.51.100.99"), new Batch());
    Cidr subnet = before.subnets().getFirst();
    Lease theirs = new Lease(subnet, host(1));
    Waiting.until(
        "it moved", PATIENCE, () -> store.leases(VLAN).of(before.publicAddress()).isEmpty());
    watcher.put(KEYS.lease("vlan002", theirs.key()), FlannelJson.write(theirs.attributes()));
    Waiting.until(
        "it is noticed",
        PATIENCE,
        () ->
            first
                .vlans
                .rivalOf(first.vlans.byName("vlan002").orElseThrow(), subnet)
                .equals(Optional.of(theirs)));
    assertThat(store.leases(VLAN).at(subnet)).contains(theirs);
  }

  @Test
  void closingWaitsForNobody() {
    server.freeze();
    long start = System.nanoTime();
    members.getFirst().vlans.close();
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Etcd.DEADLINE);
    server.thaw();
  }

  /** The config's and the leases' values. */
  private record Leasing(String config, Set<Lease> leases) {}

  private Leasing leasing() {
    return new Leasing(
        watcher.get(CONFIG).map(kv -> kv.value()).orElse(""),
        Set.copyOf(store.leases(VLAN).bySubnet().values()));
  }

  private void awaitRebuilt(Leasing before) {
    Waiting.until("etcd answers", PATIENCE, watcher::isReachable);
    Waiting.until("all is as before", PATIENCE, () -> leasing().equals(before));
    int count = before.leases().size();
    for (Member member : members) {
      Waiting.until("all is shown", PATIENCE, () -> shown(member) == count);
    }
  }

  private void awaitPeers(int count) {
    for (Member member : members) {
      Waiting.until(member.address + " knows all", PATIENCE, () -> member.peers().size() == count);
    }
  }

  private void awaitAllAway() {
    members.forEach(EtcdLossIT::awaitAway);
    Waiting.until("away", PATIENCE, () -> !watcher.isReachable());
  }

  private static void awaitAway(Member member) {
    Waiting.until("away", PATIENCE, () -> !member.etcd.isReachable());
  }

  private static boolean shows(Member member, Lease lease) {
    return member.vlans.leases("vlan002").filter(leases -> leases.holds(lease)).isPresent();
  }

  private static int shown(Member member) {
    return member.vlans.leases("vlan002").map(leases -> leases.bySubnet().size()).orElse(0);
  }

  private String journal(int number) {
    try {
      return Files.readString(state.resolve("h" + number + "/journal"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private EtcdSettings settings(int number) {
    return number == 1 ? EtcdSettings.plain(proxy.endpoint()) : server.settings();
  }

  private static LeaseAttributes host(int number) {
    return LeaseAttributes.vxlan(
        IpAddress.parse("198.51.100." + number),
        new Vni(2),
        new MacAddress(0x020000000000L + number));
  }

  static VlanStore store(Etcd etcd) {
    return new VlanStore(etcd, KEYS, new Random(1), InstantSource.system());
  }
}
