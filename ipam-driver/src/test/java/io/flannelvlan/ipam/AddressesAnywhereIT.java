package io.flannelvlan.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What another host's address keys are worth, by what became of its lease. */
class AddressesAnywhereIT {

  private static final TestingEtcd SERVER = TestingEtcd.started();
  private static final Etcd ETCD = SERVER.client();
  private static final String RANGE = "10.2.0.0/16";
  private static final String KEYS = "/flannelvlan/addresses/vlan002/";
  private static final String LEASE = "/coreos.com/network/vlan002/subnets/10.2.30.0-24";
  private static final String ADDRESS = KEYS + "10.2.30.5";
  private static final Duration PATIENCE = Duration.ofSeconds(15);

  @TempDir Path state;
  private final AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
  private TestingHost host;

  /** Of this host, which has an address itself. */
  private InterfaceAddress kept;

  @BeforeEach
  void start() {
    SERVER.ctl("del", "", "--from-key=true");
    host = new TestingHost(ETCD, state, 11, (_, _) -> Optional.empty(), now::get);
    host.pool(RANGE, "10.2.20.0/24");
    host.createNetwork(RANGE, 2, 24);
    kept = host.request(RANGE);
    ETCD.put(
        LEASE,
        "{\"PublicIP\":\"198.51.100.12\",\"BackendType\":\"vxlan\",\"BackendData\":"
            + "{\"VNI\":2,\"VtepMAC\":\"5e:f6:85:9e:7c:cf\"}}");
    putAddress();
    awaitLeases(2);
  }

  @AfterEach
  void stop() {
    host.close();
  }

  @AfterAll
  static void end() {
    ETCD.close();
    SERVER.close();
  }

  @Test
  void aLeaseThatStandsMakesAnEndpointOfItsKeys() {
    host.addresses.publishAll(Cidr.parse(RANGE));
    assertThat(host.addresses.anywhere().endpoints(vlan()))
        .extracting(EndpointAnywhere::toString)
        .containsExactly("10.2.30.5 on host 198.51.100.12 (endpoint 51f2a9c0d1b3)");
    assertThat(host.addresses.anywhere().countByHost(vlan()))
        .isEqualTo(Map.of("198.51.100.11", 1L, "198.51.100.12", 1L));
  }

  @Test
  void onceTheLeaseHasEndedTheKeysCountNoMoreAndAreRemoved() {
    ETCD.delete(LEASE);
    awaitLeases(1);
    assertThat(host.addresses.anywhere().endpoints(vlan())).isEmpty();
    assertThat(host.addresses.anywhere().countByHost(vlan()))
        .containsExactly(Map.entry("198.51.100.11", 1L));
    compare();
    assertThat(ETCD.get(ADDRESS)).isPresent();
    graceEnds();
    compareUntil(Set.of(kept.address().toString()));
  }

  @Test
  void aLeaseThatIsBackWithinTheGraceTimeKeepsItsKeys() {
    String lease = ETCD.get(LEASE).orElseThrow().value();
    ETCD.delete(LEASE);
    awaitLeases(1);
    compare();
    ETCD.put(LEASE, lease);
    awaitLeases(2);
    compare();
    graceEnds();
    compare();
    assertThat(ETCD.get(ADDRESS)).isPresent();
  }

  @Test
  void keysOfAHostWhoseSubnetAnotherHostHasCountNoMore() {
    ETCD.put(LEASE, ETCD.get(LEASE).orElseThrow().value().replace("100.12", "100.13"));
    Waiting.until(
        "no endpoint is left",
        PATIENCE,
        () -> host.addresses.anywhere().endpoints(vlan()).isEmpty());
    assertThat(ETCD.get(ADDRESS)).isPresent();
  }

  @Test
  void keysUnderALeaseThatCantBeReadCount() {
    ETCD.put(LEASE, "rubbish");
    assertThat(host.addresses.anywhere().endpoints(vlan())).hasSize(1);
  }

  @Test
  void keysUnderALeaseThatEtcdOnlyLostCountAndStay() {
    SERVER.ctl("del", "", "--from-key=true");
    awaitLeases(1);
    putAddress();
    compare();
    graceEnds();
    compare();
    assertThat(ETCD.get(ADDRESS)).isPresent();
    assertThat(host.addresses.anywhere().endpoints(vlan())).hasSize(1);
  }

  private Vlan vlan() {
    return host.vlans.byName("vlan002").orElseThrow().vlan();
  }

  private static void putAddress() {
    ETCD.put(ADDRESS, "{\"host\":\"198.51.100.12\",\"endpoint\":\"51f2a9c0d1b3\"}");
  }

  private void awaitLeases(int count) {
    Waiting.until(
        count + " leases are seen",
        PATIENCE,
        () -> host.vlans.leases("vlan002").filter(l -> l.bySubnet().size() == count).isPresent());
  }

  private void graceEnds() {
    now.updateAndGet(time -> time.plus(AbandonedAddresses.GRACE));
  }

  /** One look at all keys: what it finds of this host's goes when it is over. */
  private void compare() {
    ETCD.put(KEYS + "10.2.20.40", "{\"host\":\"198.51.100.11\"}");
    host.addresses.publishAll(Cidr.parse(RANGE));
    Waiting.until("compared", PATIENCE, () -> ETCD.get(KEYS + "10.2.20.40").isEmpty());
  }

  private void compareUntil(Set<String> wanted) {
    Waiting.until(
        "etcd shows " + wanted,
        PATIENCE,
        () -> {
          compare();
          return TestingHost.inEtcd(ETCD, "vlan002").equals(wanted);
        });
  }
}
