package io.flannelvlan.flannel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.Grant;
import io.flannelvlan.etcd.KeyValue;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LeaseStoreIT {

  private static final TestingEtcd SERVER = TestingEtcd.started();
  private static final Etcd ETCD = SERVER.client();
  private static final FlannelKeys KEYS = new FlannelKeys(FlannelKeys.DEFAULT_PREFIX);
  private static final Instant NOW = Instant.parse("2026-11-22T20:00:00Z");
  private static final Cidr TWENTY = Cidr.parse("10.2.20.0/24");

  private final VlanStore store =
      new VlanStore(ETCD, KEYS, new Random(1), InstantSource.fixed(NOW));
  private final Vlan vlan =
      new Vlan("vlan002", NetworkConfig.of(Cidr.parse("10.2.0.0/16"), new Vni(2)));

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
  void aLeaseIsWrittenAsFlanneldWritesIt() {
    Lease lease =
        store.acquire(
            vlan,
            LeaseAttributes.vxlan(
                IpAddress.parse("198.51.100.11"),
                new Vni(2),
                MacAddress.parse("5e:f6:85:9e:7c:cf")),
            Wish.exactly(TWENTY));

    KeyValue written = ETCD.get("/coreos.com/network/vlan002/subnets/10.2.20.0-24").get();
    assertThat(lease.subnet()).isEqualTo(TWENTY);
    assertThat(written.value())
        .isEqualTo(
            "{\"PublicIP\":\"198.51.100.11\",\"PublicIPv6\":null,\"BackendType\":\"vxlan\","
                + "\"BackendData\":{\"VNI\":2,\"VtepMAC\":\"5e:f6:85:9e:7c:cf\"}}");
    assertThat(ETCD.timeToLive(written.grant()).get())
        .isBetween(Duration.ofSeconds(86390), Duration.ofSeconds(86400));
  }

  @Test
  void theOwnLeaseIsTakenAgainWithTheNewMac() {
    Lease first = store.acquire(vlan, host(1), Wish.any());
    LeaseAttributes rebooted =
        LeaseAttributes.vxlan(
            host(1).publicIp(), new Vni(2), MacAddress.parse("02:00:00:00:99:99"));

    Lease again = store.acquire(vlan, rebooted, Wish.any());

    assertThat(again.subnet()).isEqualTo(first.subnet());
    assertThat(store.leases(vlan).bySubnet()).hasSize(1);
    assertThat(store.leases(vlan).at(first.subnet()).get().attributes()).isEqualTo(rebooted);
  }

  @Test
  void wishesAreGrantedAmongSeveralOwnLeases() {
    store.acquire(vlan, host(1), Wish.exactly(Cidr.parse("10.2.10.0/24")));
    store.acquire(vlan, host(1), Wish.exactly(TWENTY));

    assertThat(store.acquire(vlan, host(1), Wish.any()).subnet())
        .isEqualTo(Cidr.parse("10.2.10.0/24"));
    assertThat(store.acquire(vlan, host(1), Wish.remembered(TWENTY)).subnet()).isEqualTo(TWENTY);
    assertThat(store.acquire(vlan, host(1), Wish.within(Cidr.parse("10.2.16.0/20"))).subnet())
        .isEqualTo(TWENTY);
    assertThat(store.leases(vlan).of(host(1).publicIp())).hasSize(2);
    assertThat(store.acquireAnother(vlan, host(1), Wish.any()).subnet())
        .isNotIn(TWENTY, Cidr.parse("10.2.10.0/24"));
    assertThat(store.leases(vlan).of(host(1).publicIp())).hasSize(3);
  }

  @Test
  void aForeignSubnetIsRefusedNamingItsHostAndRememberedGivesWay() {
    store.acquire(vlan, host(1), Wish.exactly(TWENTY));

    assertThatThrownBy(() -> store.acquire(vlan, host(2), Wish.exactly(TWENTY)))
        .isInstanceOfSatisfying(
            VlanException.class, e -> assertThat(e.kind()).isEqualTo(VlanException.Kind.TAKEN))
        .hasMessageContaining("10.2.20.0/24 is held by host 10.0.0.1");
    assertThat(store.acquire(vlan, host(2), Wish.remembered(TWENTY)).subnet()).isNotEqualTo(TWENTY);
  }

  @Test
  void anOwnLeaseThatDoesNotFitTheConfigIsLeftAloneAndAvoided() {
    ETCD.put(key("10.2.0.0-17"), FlannelJson.write(host(1)));

    Lease lease = store.acquire(vlan, host(1), Wish.any());

    assertThat(lease.subnet().overlaps(Cidr.parse("10.2.0.0/17"))).isFalse();
    assertThat(ETCD.get(key("10.2.0.0-17")).get().value()).isEqualTo(FlannelJson.write(host(1)));
  }

  @Test
  void anUnreadableValueHoldsItsSubnetAndHarmsNobodyElse() {
    ETCD.put(key("10.2.20.0-24"), "rubbish");
    ETCD.put(key("not-a-subnet"), "rubbish");
    store.acquire(vlan, host(2), Wish.exactly(Cidr.parse("10.2.30.0/24")));

    Leases leases = store.leases(vlan);

    assertThat(leases.bySubnet()).hasSize(1);
    assertThat(leases.broken()).hasSize(2);
    assertThatThrownBy(() -> store.acquire(vlan, host(1), Wish.exactly(TWENTY)))
        .isInstanceOf(VlanException.class)
        .hasMessageContaining("unreadable")
        .hasMessageContaining("rubbish");
    assertThat(store.acquire(vlan, host(1), Wish.any()).subnet()).isNotEqualTo(TWENTY);
  }

  @Test
  void hostsThatAcquireAtOnceAllGetASubnetOfTheirOwn() throws Exception {
    Vlan small = new Vlan("small", NetworkConfig.of(Cidr.parse("10.3.0.0/21"), new Vni(3)));
    for (Vlan each : List.of(vlan, small)) {
      int hosts = (int) Math.min(8, each.config().layout().count());
      List<Cidr> subnets = Together.run(hosts, host -> acquireAs(each, host(host)).subnet());
      assertThat(subnets).doesNotHaveDuplicates().hasSize(hosts);
      assertThat(store.leases(each).bySubnet()).hasSize(hosts);
    }
    assertThatThrownBy(() -> store.acquire(small, host(77), Wish.any()))
        .isInstanceOfSatisfying(
            VlanException.class, e -> assertThat(e.kind()).isEqualTo(VlanException.Kind.FULL))
        .hasMessageContaining("of 7 subnets, host 10.0.0.0 has 1");
  }

  @Test
  void hostsThatWantOneSubnetAtOnceGetItOnce() throws Exception {
    List<Cidr> subnets =
        Together.run(
            8,
            host ->
                new VlanStore(ETCD, KEYS, new Random(host), InstantSource.system())
                    .acquire(vlan, host(host), Wish.remembered(TWENTY))
                    .subnet());
    assertThat(subnets).doesNotHaveDuplicates().contains(TWENTY);
  }

  @Test
  void aRefusalLeavesNoGrantBehind() {
    store.acquire(vlan, host(1), Wish.exactly(TWENTY));
    String before = SERVER.ctl("lease", "list");

    assertThatThrownBy(() -> store.acquire(vlan, host(2), Wish.exactly(TWENTY)))
        .isInstanceOf(VlanException.class);

    assertThat(SERVER.ctl("lease", "list")).isEqualTo(before);
  }

  @Test
  void aKeyBesideThePlaceOfLeasesOnlyBlocksItsSubnet() {
    ETCD.put("/coreos.com/network/vlan002/subnets/x/10.2.20.0-24", FlannelJson.write(host(3)));
    store.acquire(vlan, host(1), Wish.exactly(Cidr.parse("10.2.30.0/24")));

    assertThat(store.leases(vlan).bySubnet()).hasSize(1);
    assertThatThrownBy(() -> store.acquire(vlan, host(3), Wish.exactly(TWENTY)))
        .isInstanceOf(VlanException.class)
        .hasMessageContaining("not the place of a lease");
  }

  @Test
  void renewalWritesANewGrantAndIsDueAnHourBeforeTheEnd() {
    Lease lease = store.acquire(vlan, host(1), Wish.any());
    KeyValue before = ETCD.get(key(lease.key().toString())).get();

    Renewal renewal = store.renew(vlan, lease);

    KeyValue after = ETCD.get(key(lease.key().toString())).get();
    assertThat(renewal.grant()).isEqualTo(after.grant());
    assertThat(renewal.next()).isEqualTo(NOW.plus(Duration.ofHours(23)));
    assertThat(after.value()).isEqualTo(before.value());
    assertThat(after.grant()).isNotEqualTo(before.grant());
    assertThat(store.renewalOf(vlan, lease))
        .isBetween(NOW.plus(Duration.ofHours(23)).minusSeconds(10), NOW.plus(Duration.ofHours(23)));
  }

  @Test
  void aLeaseWithoutAGrantOrNearItsEndIsToBeRenewedNowOrSoon() {
    Lease lease = new Lease(TWENTY, host(1));
    assertThat(store.renewalOf(vlan, lease)).isEqualTo(NOW);
    ETCD.put(key("10.2.20.0-24"), FlannelJson.write(host(1)));
    assertThat(store.renewalOf(vlan, lease)).isEqualTo(NOW);
    Grant brief = ETCD.grant(Duration.ofMinutes(30));
    ETCD.put(key("10.2.20.0-24"), FlannelJson.write(host(1)), brief);
    assertThat(store.renewalOf(vlan, lease))
        .isBetween(NOW.plus(Duration.ofMinutes(14)), NOW.plus(Duration.ofMinutes(15)));
  }

  @Test
  void aDeletedOrDamagedOwnLeaseIsClaimedAgainByItsRenewal() {
    Lease lease = store.acquire(vlan, host(1), Wish.exactly(TWENTY));
    ETCD.delete(key("10.2.20.0-24"));
    store.renew(vlan, lease);
    assertThat(store.leases(vlan).at(TWENTY)).contains(lease);
    ETCD.put(key("10.2.20.0-24"), "rubbish");
    store.renew(vlan, lease);
    assertThat(store.leases(vlan).at(TWENTY)).contains(lease);
  }

  @Test
  void aForeignLeaseIsNeitherRenewedUpdatedNorReleased() {
    Lease lost = new Lease(TWENTY, host(1));
    Lease theirs = store.acquire(vlan, host(2), Wish.exactly(TWENTY));

    assertThatThrownBy(() -> store.renew(vlan, lost))
        .isInstanceOfSatisfying(
            VlanException.class, e -> assertThat(e.kind()).isEqualTo(VlanException.Kind.TAKEN))
        .hasMessageContaining("host 10.0.0.2 holds it");
    assertThatThrownBy(() -> store.update(vlan, lost, host(3))).isInstanceOf(VlanException.class);
    assertThat(store.release(vlan, lost)).isFalse();
    assertThat(store.leases(vlan).at(TWENTY)).contains(theirs);
    ETCD.put(key("10.2.20.0-24"), "{\"PublicIP\":\"10.0.0.2\",\"BackendType\":\"vxlan\"}");
    assertThatThrownBy(() -> store.renew(vlan, lost)).isInstanceOf(VlanException.class);
  }

  @Test
  void anUpdateMovesTheLeaseToANewAddress() {
    Lease lease = store.acquire(vlan, host(1), Wish.exactly(TWENTY));

    store.update(vlan, lease, host(9));
    store.update(vlan, lease, host(9));

    assertThat(store.leases(vlan).at(TWENTY)).contains(new Lease(TWENTY, host(9)));
  }

  @Test
  void releaseDeletesTheOwnLeaseOnce() {
    Lease lease = store.acquire(vlan, host(1), Wish.any());

    assertThat(store.release(vlan, lease)).isTrue();
    assertThat(store.release(vlan, lease)).isFalse();
    assertThat(store.leases(vlan).bySubnet()).isEmpty();
  }

  private static Lease acquireAs(Vlan vlan, LeaseAttributes host) {
    Random random = new Random(host.publicIp().low());
    return new VlanStore(ETCD, KEYS, random, InstantSource.system())
        .acquire(vlan, host, Wish.any());
  }

  private static LeaseAttributes host(int number) {
    return LeaseAttributes.vxlan(
        IpAddress.parse("10.0.0." + number), new Vni(2), new MacAddress(0x020000000000L + number));
  }

  private static String key(String subnet) {
    return "/coreos.com/network/vlan002/subnets/" + subnet;
  }
}
