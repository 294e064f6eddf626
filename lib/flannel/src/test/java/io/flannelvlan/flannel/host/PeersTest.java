package io.flannelvlan.flannel.host;

import static io.flannelvlan.flannel.host.OwnLeases.AS_LAST;
import static io.flannelvlan.flannel.host.OwnLeases.EARLIER;
import static io.flannelvlan.flannel.host.OwnLeases.MISSING;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.flannel.BrokenEntry;
import io.flannelvlan.flannel.ConfigEntry;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.LeaseAttributes;
import io.flannelvlan.flannel.Leases;
import io.flannelvlan.flannel.SubnetKey;
import io.flannelvlan.flannel.VlanEntries;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class PeersTest {

  private static final long CREATED = 1;
  private static final Instant NOW = Instant.parse("2026-11-22T20:00:00Z");
  private static final Lease A = lease(1, "10.2.20.0/24");
  private static final Lease B = lease(2, "10.2.30.0/24");
  private static final Lease C = lease(3, "10.2.40.0/24");

  private final Peers both = Peers.NONE.after(shown(7, A, B), AS_LAST, NOW);

  @Test
  void aLeaseThatACompleteStateLacksIsGone() {
    assertThat(both.after(shown(8, A), AS_LAST, NOW).all()).containsExactly(A);
    assertThat(both.after(shown(9), AS_LAST, NOW).all()).isEmpty();
  }

  @Test
  void aDoubtfulStateTakesNothingAwayAndBringsWhatItShows() {
    Peers doubted = both.after(shown(2, C), MISSING, NOW);
    assertThat(doubted.all()).containsExactlyInAnyOrder(A, B, C);
    assertThat(doubted.standing().values()).containsExactly(C);
  }

  @Test
  void whatIsMissedStaysThroughCompleteStatesUntilItIsBack() {
    Peers doubted = both.after(shown(2), MISSING, NOW);
    Peers half = doubted.after(shown(3, A), AS_LAST, NOW.plusSeconds(1));
    assertThat(half.all()).containsExactly(A, B);
    assertThat(half.missed().values()).containsExactly(B);
    Peers whole = half.after(shown(4, A, B), AS_LAST, NOW.plusSeconds(2));
    assertThat(whole.missed()).isEmpty();
    assertThat(whole.after(shown(5, A), AS_LAST, NOW.plusSeconds(3)).all()).containsExactly(A);
  }

  @Test
  void aMissedLeaseMakesWayForWhoeverHasItsSubnetNow() {
    Peers doubted = both.after(shown(2), MISSING, NOW);
    Lease taken = lease(9, "10.2.20.0/24");
    Lease around = lease(9, "10.2.30.0/23");
    assertThat(doubted.after(shown(3, taken), AS_LAST, NOW).all()).containsExactly(taken, B);
    assertThat(doubted.after(shown(3, around), AS_LAST, NOW).all()).containsExactly(around, A);
  }

  @Test
  void aMissedLeaseIsDroppedWhenItWouldHaveEndedByItself() {
    Peers doubted = both.after(shown(2), MISSING, NOW);
    assertThat(doubted.after(shown(3, A), AS_LAST, NOW.plus(Duration.ofHours(23))).all())
        .containsExactly(A, B);
    assertThat(doubted.after(shown(3, A), AS_LAST, NOW.plus(Duration.ofHours(24))).all())
        .containsExactly(A);
  }

  @Test
  void aValueThatCannotBeReadLeavesTheLeaseThatItWas() {
    BrokenEntry broken = new BrokenEntry("…/10.2.30.0-24", Optional.of(B.subnet()), "rubbish");
    Leases damaged = new Leases(8, shown(8, A).leases().bySubnet(), List.of(broken));
    assertThat(both.after(entries(CREATED, damaged), AS_LAST, NOW).all()).containsExactly(A, B);
  }

  @Test
  void theJournalGivesItBackAsItWas() {
    Peers doubted = both.after(shown(2, C), MISSING, NOW);
    assertThat(KnownPeers.of(doubted).peers()).isEqualTo(doubted);
  }

  @Test
  void aWipeThatWasNeverSeenTakesNothingAway() {
    // The wipe and what another host put back came in one.
    VlanEntries rebuilt = entries(8, new Leases(9, shown(9, C).leases().bySubnet(), List.of()));
    Peers doubted = both.after(rebuilt, AS_LAST, NOW);
    assertThat(doubted.all()).containsExactlyInAnyOrder(A, B, C);
    assertThat(doubted.after(rebuilt, AS_LAST, NOW).all()).containsExactlyInAnyOrder(A, B, C);
  }

  @Test
  void aStateWithoutItsConfigTakesNothingAway() {
    VlanEntries headless = entries(0, shown(8, A).leases());
    assertThat(both.after(headless, AS_LAST, NOW).all()).containsExactly(A, B);
  }

  @Test
  void aStateFromBeforeTakesNothingAway() {
    assertThat(both.after(shown(6, A), AS_LAST, NOW).all()).containsExactly(A, B);
  }

  @Test
  void anEtcdThatWentBackInTimeLeadsNobodyToAFormerPlace() {
    Lease moved = at(21, B);
    Peers now = both.after(shown(9, A, moved), AS_LAST, NOW);
    Peers back = now.after(shown(8, A, B), AS_LAST, NOW);
    assertThat(back.all()).containsExactly(A, moved);
    // What comes of others meanwhile, changes nothing about it.
    Peers later = back.after(shown(10, A, B, C), AS_LAST, NOW.plusSeconds(1));
    assertThat(later.all()).containsExactly(A, moved, C);
    // Its host puts back what it was.
    Peers whole = later.after(shown(11, A, moved, C), AS_LAST, NOW.plusSeconds(2));
    assertThat(whole.former()).isEmpty();
    // From then on etcd's word counts.
    assertThat(whole.after(shown(12, A, B, C), AS_LAST, NOW.plusSeconds(3)).all())
        .containsExactly(A, B, C);
  }

  @Test
  void aHostThatPutsAThirdPlaceIsFollowedAtOnce() {
    Peers back =
        both.after(shown(9, A, at(21, B)), AS_LAST, NOW).after(shown(8, A, B), AS_LAST, NOW);
    Lease again = at(22, B);
    assertThat(back.after(shown(9, A, again), AS_LAST, NOW).all()).containsExactly(A, again);
    assertThat(back.after(shown(9, A), AS_LAST, NOW).all()).containsExactly(A);
  }

  @Test
  void whatNobodyPutsBackIsTakenFromEtcdInTheEnd() {
    Peers back =
        both.after(shown(9, A, at(21, B)), AS_LAST, NOW).after(shown(8, A, B), AS_LAST, NOW);
    Instant end = back.trusted();
    assertThat(back.settled(end.minusNanos(1))).isEqualTo(back);
    assertThat(back.settled(end).all()).containsExactly(A, B);
    assertThat(back.after(shown(10, A, B), AS_LAST, end).settled(end).all()).containsExactly(A, B);
    assertThat(end).isBetween(NOW.plusSeconds(5), NOW.plusSeconds(60));
  }

  @Test
  void nobodysTimeToPutSomethingBackRunsWhileEtcdIsAway() {
    Lease moved = at(21, B);
    Peers back = both.after(shown(9, A, moved), AS_LAST, NOW).after(shown(8, A, B), AS_LAST, NOW);
    Instant later = NOW.plus(Duration.ofHours(1));
    assertThat(back.withoutEtcd().settled(later).all()).containsExactly(A, moved);
    Peers again = back.withoutEtcd().after(shown(8, A, B), AS_LAST, later);
    assertThat(again.settled(later).all()).containsExactly(A, moved);
    assertThat(again.trusted()).isEqualTo(later.plus(Duration.between(NOW, back.trusted())));
  }

  @Test
  void whatEtcdLastSaidOfASubnetCountsForAWhileWhoeverHadItBefore() {
    Lease anothers = lease(9, "10.2.30.0/24");
    Peers now = both.after(shown(9, A, anothers), AS_LAST, NOW);
    Peers back = now.after(shown(8, A, B), AS_LAST, NOW);
    assertThat(back.all()).containsExactly(A, anothers);
    assertThat(back.successor(B)).contains(anothers.publicIp());
    assertThat(back.successor(A)).isEmpty();
    assertThat(back.isFormer(B, anothers)).as("two hosts: nothing is overwritten").isFalse();
    Peers settled = back.settled(back.trusted());
    assertThat(settled.all()).containsExactly(A, B);
    assertThat(settled.successor(B)).isEmpty();
  }

  @Test
  void aHostKnowsItselfWhereAnEtcdThatWentBackInTimeHasIt() {
    Lease moved = at(21, B);
    Peers now = both.after(shown(9, A, moved), AS_LAST, NOW);
    Peers back = now.after(shown(8, A, B), MISSING, NOW);
    assertThat(back.isFormer(B, moved)).isTrue();
    assertThat(back.isFormer(B, at(22, B))).isFalse();
    assertThat(back.isFormer(at(22, B), moved)).isFalse();
    // One that has the same MAC elsewhere, in an etcd that only went on, is somebody else.
    assertThat(now.after(shown(10, A, B), AS_LAST, NOW).isFormer(B, moved)).isFalse();
  }

  @Test
  void anEtcdThatBeganAnewAndWasThenRestoredIsKnownByOurOwnLease() {
    Lease moved = at(21, B);
    Peers now = both.after(shown(9, A, moved), AS_LAST, NOW);
    Peers back = now.after(shown(900, A, B), EARLIER, NOW);
    assertThat(back.all()).containsExactly(A, moved);
    assertThat(now.after(shown(900, A), EARLIER, NOW).all()).containsExactly(A, moved);
    assertThat(now.after(entries(7, shown(900, A, B).leases()), EARLIER, NOW).all())
        .containsExactly(A, moved);
  }

  @Test
  void aHostOfAVlanThatWasWipedIsFollowedToWhereItPutItself() {
    Lease moved = at(21, B);
    VlanEntries rebuilt = entries(2, shown(3, moved).leases());
    assertThat(both.after(rebuilt, AS_LAST, NOW).all()).containsExactlyInAnyOrder(A, moved);
  }

  private static Lease at(int address, Lease lease) {
    MacAddress mac = lease.attributes().vtepMac().orElseThrow();
    IpAddress there = IpAddress.parse("198.51.100." + address);
    return new Lease(lease.key(), LeaseAttributes.vxlan(there, new Vni(2), mac));
  }

  private static VlanEntries entries(long created, Leases leases) {
    return new VlanEntries(new ConfigEntry.Absent(), created, leases);
  }

  private static VlanEntries shown(long revision, Lease... leases) {
    SortedMap<SubnetKey, Lease> bySubnet = new TreeMap<>();
    for (Lease lease : leases) {
      bySubnet.put(lease.key(), lease);
    }
    return entries(CREATED, new Leases(revision, bySubnet, List.of()));
  }

  private static Lease lease(int host, String subnet) {
    return new Lease(
        Cidr.parse(subnet),
        LeaseAttributes.vxlan(
            IpAddress.parse("198.51.100." + host),
            new Vni(2),
            new MacAddress(0x020000000000L + host)));
  }
}
