package io.flannelvlan.flannel.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A host that starts on another state than it ended with, in the VLAN of {@link EtcdLossIT}. */
class StateLossIT extends OneHost {

  private static final Cidr FIRST = Cidr.parse("10.2.20.0/24");

  @Test
  void aPeerThatCameJustBeforeTheEndIsKnownAtTheNextStartThoughEtcdIsAway() {
    host.join(FIRST.toString());
    Cidr subnet = Cidr.parse("10.2.30.0/24");
    try (Member peer = new Member(server.settings(), state, 12)) {
      peer.join(subnet.toString());
      Waiting.until("the peer is known", PATIENCE, () -> host.peers().contains(subnet));
      host.close();
    }
    server.stop();
    host = open("kept");
    assertThat(host.peers()).contains(subnet);
  }

  @Test
  void whoLostItsStateJoinsWithAllThatIsItsOwn() {
    HostVlan before = host.vlans.joinFurther(host.join(FIRST.toString()));
    host.close();
    host = open("lost");
    AtomicInteger commits = new AtomicInteger();
    Joined again =
        host.vlans.join(
            EtcdLossIT.VLAN,
            FIRST,
            host.address,
            (_, joined) -> {
              commits.incrementAndGet();
              assertThat(host.vlans.all()).isEmpty();
              assertThat(joined.subnets()).isEqualTo(before.subnets());
            });
    assertThat(again.tookLease()).isFalse();
    assertThat(again.vlan()).isEqualTo(before);
    assertThat(commits).hasValue(1);
  }

  @Test
  void joiningThatFailsBeforeItsCommitGivesBackOnlyWhatItTook() {
    HostVlan before = host.vlans.joinFurther(host.join(FIRST.toString()));
    host.close();
    host = open("lost");
    Cidr third = Cidr.parse("10.2.77.0/24");
    assertThatThrownBy(() ->
            host.vlans.join(
                EtcdLossIT.VLAN,
                third,
                host.address,
                (_, _) -> {
                  throw new IllegalStateException("no");
                }))
        .hasMessage("no");
    Waiting.until(
        "the third is given back",
        PATIENCE,
        () -> store.leases(EtcdLossIT.VLAN).at(third).isEmpty());
    assertThat(store.leases(EtcdLossIT.VLAN).of(host.address))
        .extracting(Lease::subnet)
        .containsExactlyInAnyOrderElementsOf(before.subnets());
  }

  @Test
  void whoLostItsStateKnowsItselfWhereAnEtcdFromBeforeItsMoveHasIt() {
    HostVlan moved = moveAndLoseState(() -> {});
    restore();
    Waiting.until("etcd has the new address again", PATIENCE, () -> holds(moved));
  }

  @Test
  void anEtcdThatBeganAnewMeanwhileHidesNothingByItsRevision() {
    HostVlan moved = moveAndLoseState(this::wipe);
    restore();
    Waiting.until("etcd has the new address again", PATIENCE, () -> holds(moved));
  }

  @Test
  void aSubnetOfBeforeIsGivenBackToTheHostThatHasHadItSince() {
    host.join(FIRST.toString());
    Waiting.until("its lease is known", PATIENCE, () -> host.peers().contains(FIRST));
    server.ctl("snapshot", "save", state.resolve("old.db").toString());
    host.vlans.leave("vlan002");
    host.close();
    try (Member other = new Member(server.settings(), state, 12)) {
      HostVlan theirs = other.join(FIRST.toString());
      // It has lost its state, and is in the VLAN with another subnet.
      host = open("lost");
      host.join("10.2.30.0/24");
      Waiting.until("it knows the other", PATIENCE, () -> host.peers().contains(FIRST));
      Waiting.until("so does the other", PATIENCE, () -> other.peers().size() == 2);
      restore();
      Waiting.until("the other has it again", PATIENCE, () -> holds(theirs));
      assertThat(host.vlans.byName("vlan002").orElseThrow().subnets())
          .containsExactly(Cidr.parse("10.2.30.0/24"));
    }
  }

  /** With a snapshot from before the move, whose revision is higher than any that comes. */
  private HostVlan moveAndLoseState(Runnable meanwhile) {
    HostVlan before = host.join(FIRST.toString());
    for (int i = 0; i < 100; i++) {
      watcher.put("/other", "value " + i);
    }
    server.ctl("snapshot", "save", state.resolve("old.db").toString());
    meanwhile.run();
    HostVlan moved = before.at(IpAddress.parse("198.51.100.12"));
    host.vlans.move("vlan002", moved.publicAddress(), new Batch());
    Waiting.until("etcd has the new address", PATIENCE, () -> holds(moved));
    host.close();
    host = new Member(server.settings(), state.resolve("lost"), 12);
    assertThat(host.join(FIRST.toString()).formerAddresses()).isEmpty();
    Waiting.until("its lease is known", PATIENCE, () -> host.ways().equals(moved.leases()));
    return moved;
  }

  private void wipe() {
    server.kill();
    server.wipe();
    awaitAway();
    server.start();
    Waiting.until("etcd answers", PATIENCE, watcher::isReachable);
    Waiting.until(
        "it is rebuilt", PATIENCE, () -> !store.leases(EtcdLossIT.VLAN).bySubnet().isEmpty());
  }

  private void restore() {
    server.kill();
    awaitAway();
    server.restore(state.resolve("old.db"));
    server.start();
    Waiting.until("etcd answers", PATIENCE, watcher::isReachable);
  }

  private boolean holds(HostVlan host) {
    Lease lease = host.leases().getFirst();
    return store.leases(EtcdLossIT.VLAN).holds(lease);
  }
}
