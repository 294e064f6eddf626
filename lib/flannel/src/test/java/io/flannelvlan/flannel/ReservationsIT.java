package io.flannelvlan.flannel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ReservationsIT {

  private static final TestingEtcd SERVER = TestingEtcd.started();
  private static final Etcd ETCD = SERVER.client();
  private static final Cidr RANGE = Cidr.parse("10.2.0.0/16");
  private static final Cidr TWENTY = Cidr.parse("10.2.20.0/24");
  private static final SubnetLayout LAYOUT = SubnetLayout.of(RANGE);

  private final Reservations reservations = new Reservations(ETCD, new Random(1));
  private final VlanStore store =
      new VlanStore(
          ETCD, new FlannelKeys(FlannelKeys.DEFAULT_PREFIX), new Random(2), InstantSource.system());
  private final Vlan vlan = new Vlan("vlan002", NetworkConfig.of(RANGE, new Vni(2)));

  @BeforeEach
  void empty() {
    SERVER.ctl("del", "", "--from-key=true");
  }

  @AfterAll
  static void end() {
    ETCD.close();
    SERVER.close();
  }

  @Test
  void aReservationIsAKeyThatEndsWithinAMinute() {
    Reservation reservation = reserve(1, Wish.exactly(TWENTY));

    var key = ETCD.get("/flannelvlan/reservations/10.2.0.0-16/10.2.20.0-24").get();
    assertThat(key.value()).isEqualTo("{\"host\":\"10.0.0.1\"}");
    assertThat(ETCD.timeToLive(key.grant()).get().toSeconds()).isBetween(50L, 60L);
    reservations.release(reservation);
    assertThat(ETCD.range("/flannelvlan/reservations/").entries()).isEmpty();
  }

  @Test
  void hostsThatPrepareTheSameVlanAtOnceChooseDifferentSubnets() throws Exception {
    SubnetLayout small = SubnetLayout.of(Cidr.parse("10.3.0.0/20"));
    List<Cidr> subnets =
        Together.run(
            15,
            host ->
                new Reservations(ETCD, new Random(host))
                    .reserve(small, Wish.any(), address(host), Map::of)
                    .subnet());
    assertThat(subnets).doesNotHaveDuplicates().hasSize(15);
  }

  @Test
  void askedAgainTheHostKeepsItsSubnet() {
    Cidr first = reserve(1, Wish.any()).subnet();
    assertThat(reserve(1, Wish.any()).subnet()).isEqualTo(first);
    assertThat(reserve(1, Wish.exactly(first)).subnet()).isEqualTo(first);
    assertThat(ETCD.range("/flannelvlan/reservations/").entries()).hasSize(1);
  }

  @Test
  void aPromiseFollowsTheHostToTheAddressThatItsLeaseCarries() {
    LeaseAttributes tunnel =
        LeaseAttributes.vxlan(address(9), new Vni(2), MacAddress.parse("02:00:00:00:00:09"));
    reserve(1, Wish.exactly(TWENTY));
    reservations.handOver(RANGE, TWENTY, address(3), address(9));
    assertThatThrownBy(() -> store.acquire(vlan, tunnel, Wish.exactly(TWENTY)))
        .isInstanceOf(VlanException.class);
    reservations.handOver(RANGE, TWENTY, address(1), address(9));
    assertThat(store.acquire(vlan, tunnel, Wish.exactly(TWENTY)).subnet()).isEqualTo(TWENTY);
    assertThat(ETCD.range("/flannelvlan/reservations/").entries()).isEmpty();
  }

  @Test
  void whatIsPromisedToAnotherIsRefusedAndNotLeasedByAnybodyElse() {
    reserve(1, Wish.exactly(TWENTY));

    assertThatThrownBy(() -> reserve(2, Wish.exactly(TWENTY)))
        .isInstanceOf(VlanException.class)
        .hasMessageContaining("10.0.0.1");
    assertThatThrownBy(() -> store.acquire(vlan, host(2), Wish.exactly(TWENTY)))
        .isInstanceOf(VlanException.class)
        .hasMessageContaining("10.0.0.1");
  }

  @Test
  void theHostsOwnLeaseUsesItsReservationUp() {
    reserve(1, Wish.exactly(TWENTY));

    assertThat(store.acquire(vlan, host(1), Wish.exactly(TWENTY)).subnet()).isEqualTo(TWENTY);
    assertThat(ETCD.range("/flannelvlan/reservations/").entries()).isEmpty();
  }

  @Test
  void aLeaseTakenWhileTheReservationWasMadeIsSeen() {
    AtomicInteger asked = new AtomicInteger();
    Map<Cidr, String> leased = new HashMap<>();
    Reservation reservation =
        reservations.reserve(
            LAYOUT,
            Wish.remembered(TWENTY),
            address(1),
            () -> {
              if (asked.incrementAndGet() == 2) {
                leased.put(TWENTY, "host 10.0.0.2");
              }
              return Map.copyOf(leased);
            });
    assertThat(reservation.subnet()).isNotEqualTo(TWENTY);
    assertThat(ETCD.range("/flannelvlan/reservations/").entries()).hasSize(1);
  }

  @Test
  void aForeignReservationIsNotReleased() {
    Reservation theirs = reserve(2, Wish.exactly(TWENTY));
    reservations.release(new Reservation(RANGE, TWENTY, address(1), theirs.grant()));
    assertThat(ETCD.range("/flannelvlan/reservations/").entries()).hasSize(1);
  }

  @Test
  void preparingAndLeasingAtOnceNeverMeetInOneSubnet() throws Exception {
    SubnetLayout small = SubnetLayout.of(Cidr.parse("10.4.0.0/20"));
    Vlan tight = new Vlan("tight", new NetworkConfig(small, Vxlan.of(new Vni(4))));
    List<Cidr> subnets =
        Together.run(
            14,
            host ->
                host % 2 == 0
                    ? new Reservations(ETCD, new Random(host))
                        .reserve(
                            small, Wish.any(), address(host), () -> store.leases(tight).holders())
                        .subnet()
                    : store.acquire(tight, host(host), Wish.any()).subnet());
    assertThat(subnets).doesNotHaveDuplicates();
  }

  private Reservation reserve(int host, Wish wish) {
    return reservations.reserve(LAYOUT, wish, address(host), Map::of);
  }

  private static IpAddress address(int host) {
    return IpAddress.parse("10.0.0." + host);
  }

  private static LeaseAttributes host(int number) {
    return LeaseAttributes.vxlan(
        address(number), new Vni(2), new MacAddress(0x020000000000L + number));
  }
}
