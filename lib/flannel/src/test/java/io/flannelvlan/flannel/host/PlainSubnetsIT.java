package io.flannelvlan.flannel.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.flannel.FlannelKeys;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.LeaseAttributes;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.Vlan;
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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The subnet of a plain dockerd, against everything that happens to it in etcd and here. */
class PlainSubnetsIT {

  private static final TestingEtcd SERVER = TestingEtcd.started();
  private static final Etcd ETCD = SERVER.client();
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final IpAddress HERE = IpAddress.parse("198.51.100.11");
  private static final IpAddress THERE = IpAddress.parse("198.51.100.12");
  private static final Cidr FIRST = Cidr.parse("10.2.0.64/26");

  /** Three subnets: .64, .128 and .192. */
  private static final Vlan VLAN =
      new Vlan("vlan002", NetworkConfig.of(Cidr.parse("10.2.0.0/24"), new Vni(2)));

  @TempDir Path state;

  /** What links of this host carry. */
  private final Set<Cidr> carried = ConcurrentHashMap.newKeySet();

  private final VlanStore store =
      new VlanStore(
          ETCD, new FlannelKeys(FlannelKeys.DEFAULT_PREFIX), new Random(1), new TestingClock());
  private Journal journal;
  private HostVlans vlans;

  @BeforeEach
  void start() {
    SERVER.ctl("del", "", "--from-key=true");
    store.create(VLAN.name(), VLAN.config());
    open("first");
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
  void aSubnetIsOnlyNamedUntilALinkCarriesItsGateway() {
    vlans.join(VLAN, FIRST, HERE);
    PlainSubnet named = plain().orElseThrow();
    assertThat(named.leased()).isFalse();
    settle();
    assertThat(plain()).contains(named);
    assertThat(leases()).containsExactly(FIRST);

    carried.add(named.subnet());
    settle();
    assertThat(plain()).contains(new PlainSubnet(named.subnet(), true));
    assertThat(leases()).containsExactlyInAnyOrder(FIRST, named.subnet());
    HostVlan here = here();
    assertThat(store.leases(VLAN).at(named.subnet()).orElseThrow().attributes())
        .isEqualTo(LeaseAttributes.vxlan(HERE, new Vni(2), here.vtepMac()));
    assertThat(here.subnets()).containsExactly(FIRST);
  }

  @Test
  void itsLeaseStaysThroughRestartsAndWipesAndWhileNoLinkIsThere() {
    Cidr subnet = lease();
    carried.clear();
    for (int i = 0; i < 2; i++) {
      stop();
      open("first");
      settle();
      assertThat(plain()).contains(new PlainSubnet(subnet, true));
      SERVER.ctl("del", "", "--from-key=true");
      Waiting.until("both leases are back", PATIENCE, () -> leases().equals(Set.of(FIRST, subnet)));
    }
    assertThat(here().subnets()).containsExactly(FIRST);
  }

  @Test
  void lostStateFindsItByTheLinkAndTakesItForNoneOfOurs() {
    Cidr subnet = lease();
    stop();
    open("lost");
    HostVlan again = vlans.join(VLAN, FIRST, HERE);
    assertThat(again.subnets()).containsExactly(FIRST);
    assertThat(again.plain()).contains(new PlainSubnet(subnet, true));
  }

  @Test
  void theLeaseOfAFlanneldWhoseBridgeStillHasPodsBecomesThePlainOne() {
    Cidr flannels = Cidr.parse("10.2.0.128/26");
    carried.add(flannels);
    MacAddress mac = MacAddress.parse("0e:00:00:00:00:11");
    store.acquire(VLAN, LeaseAttributes.vxlan(HERE, new Vni(2), mac), Wish.exactly(flannels));
    HostVlan joined = vlans.join(VLAN, FIRST, HERE);
    assertThat(joined.subnets()).containsExactly(FIRST);
    assertThat(joined.plain()).contains(new PlainSubnet(flannels, true));
    assertThat(joined.vtepMac()).isEqualTo(mac);
  }

  @Test
  void aJournalThatForgotItFindsItByTheLink() {
    vlans.join(VLAN, FIRST, HERE);
    HostVlan here = here();
    Cidr subnet = here.plain().orElseThrow().subnet();
    carried.add(subnet);
    // As after an end between etcd and the journal.
    store.acquireAnother(VLAN, here.attributes(), Wish.exactly(subnet));
    Waiting.until(
        "it is known again",
        PATIENCE,
        () -> plain().equals(Optional.of(new PlainSubnet(subnet, true))));
    assertThat(here().subnets()).containsExactly(FIRST);
  }

  @Test
  void oneThatAnotherHostTookBeforeIsReplacedAtOnce() {
    vlans.join(VLAN, FIRST, HERE);
    Cidr named = plain().orElseThrow().subnet();
    rival(named);
    Waiting.until("it is shown", PATIENCE, () -> shows(named));
    settle();
    Cidr other = plain().orElseThrow().subnet();
    assertThat(other).isNotEqualTo(named);
    // A moment too late for what the watch shows.
    carried.add(other);
    rival(other);
    settle();
    assertThat(plain()).isEmpty();
    assertThat(leases()).containsExactly(FIRST);
    assertThat(store.leases(VLAN).at(other).orElseThrow().isHeldBy(THERE)).isTrue();
  }

  @Test
  void ofTwoHostsThatClaimItTheOneInEtcdKeepsIt() {
    Cidr subnet = lease();
    stop();
    SERVER.ctl("del", "/coreos.com/network/vlan002/subnets/" + key(subnet));
    rival(subnet);
    open("first");
    Waiting.until("it is shown", PATIENCE, () -> shows(subnet));
    settle();
    assertThat(plain().orElseThrow().subnet()).isNotEqualTo(subnet);
    assertThat(store.leases(VLAN).at(subnet).orElseThrow().isHeldBy(THERE)).isTrue();
  }

  @Test
  void ourOwnFurtherLeasesSpareItAndTakeItLast() {
    vlans.join(VLAN, FIRST, HERE);
    Cidr named = plain().orElseThrow().subnet();
    HostVlan two = vlans.joinFurther(here());
    assertThat(two.subnets()).hasSize(2).doesNotContain(named);
    assertThat(two.plain()).contains(new PlainSubnet(named, false));
    HostVlan three = vlans.joinFurther(two);
    assertThat(three.subnets()).hasSize(3).contains(named);
    assertThat(three.plain()).isEmpty();
    settle();
    assertThat(plain()).isEmpty();
  }

  @Test
  void oneThatIsInUseIsNeverOurs() {
    Cidr subnet = lease();
    HostVlan two = vlans.joinFurther(here());
    assertThat(two.subnets()).hasSize(2).doesNotContain(subnet);
    assertThatThrownBy(() -> vlans.joinFurther(two)).hasMessageContaining("no subnet is free");
  }

  @Test
  void leavingGivesItBackAndComingAgainNamesItAgain() {
    Cidr subnet = lease();
    vlans.leave("vlan002");
    assertThat(leases()).isEmpty();
    HostVlan again = vlans.join(VLAN, FIRST, HERE);
    assertThat(again.plain()).contains(new PlainSubnet(subnet, false));
  }

  private Cidr lease() {
    vlans.join(VLAN, FIRST, HERE);
    Cidr subnet = plain().orElseThrow().subnet();
    carried.add(subnet);
    settle();
    assertThat(plain()).contains(new PlainSubnet(subnet, true));
    return subnet;
  }

  private void settle() {
    Waiting.until("etcd was seen", PATIENCE, () -> vlans.leases("vlan002").isPresent());
    vlans.plain().settle("vlan002", carried::contains);
  }

  private void rival(Cidr subnet) {
    store.acquireAnother(
        VLAN,
        LeaseAttributes.vxlan(THERE, new Vni(2), MacAddress.parse("0e:00:00:00:00:12")),
        Wish.exactly(subnet));
  }

  private boolean shows(Cidr subnet) {
    return vlans.leases("vlan002").flatMap(known -> known.at(subnet)).isPresent();
  }

  private static String key(Cidr subnet) {
    return subnet.toString().replace('/', '-');
  }

  private HostVlan here() {
    return vlans.byName("vlan002").orElseThrow();
  }

  private Optional<PlainSubnet> plain() {
    return here().plain();
  }

  private Set<Cidr> leases() {
    List<Lease> own = store.leases(VLAN).of(HERE);
    return own.stream().map(Lease::subnet).collect(Collectors.toSet());
  }

  private void open(String name) {
    journal = Journal.open(state.resolve(name));
    vlans = new HostVlans(store, journal, new Random(1), new TestingClock(), () -> {});
    vlans.plain().usedAs((_, subnet) -> carried.contains(subnet));
    vlans.start();
  }
}
