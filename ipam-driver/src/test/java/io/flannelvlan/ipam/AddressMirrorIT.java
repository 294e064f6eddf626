package io.flannelvlan.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Crashes, restarts, storms, and etcd away: journal and etcd come to agree, and nothing is lost.
 */
class AddressMirrorIT {

  private static final TestingEtcd SERVER = TestingEtcd.started();
  private static final Etcd ETCD = SERVER.client();
  private static final String RANGE = "10.2.0.0/16";
  private static final String KEYS = "/flannelvlan/addresses/vlan002/";
  private static final String LEASE12 = "/coreos.com/network/vlan002/subnets/10.2.30.0-24";
  private static final Duration PATIENCE = Duration.ofSeconds(15);
  private static final int CALLERS = 64;

  @TempDir Path state;
  private TestingHost host;

  @BeforeEach
  void start() {
    SERVER.ctl("del", "", "--from-key=true");
    host = new TestingHost(ETCD, state, 11);
    host.pool(RANGE, "10.2.20.0/24");
    host.createNetwork(RANGE, 2, 24);
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
  void aStormOnOneLeaseGivesEachAnAddressOfItsOwnAndAllBack() throws Exception {
    for (int round = 0; round < 3; round++) {
      List<InterfaceAddress> given = Together.run(CALLERS, i -> host.request(RANGE));
      assertThat(given).doesNotHaveDuplicates().hasSize(CALLERS);
      assertThat(host.addresses.all().stream().map(AllocatedAddress::address))
          .containsExactlyInAnyOrderElementsOf(given);
      assertThat(inEtcd()).isEqualTo(texts(given));
      // Each twice, as dockerd does after a transport error.
      List<InterfaceAddress> twice = new ArrayList<>(given);
      twice.addAll(given);
      Collections.shuffle(twice, new Random(round));
      Together.run(
          twice.size(),
          i -> {
            host.release(RANGE, twice.get(i).address());
            return i;
          });
      assertThat(host.addresses.all()).isEmpty();
      assertThat(host.addresses.usage(Cidr.parse("10.2.20.0/24"))).isEqualTo("0 of 253");
      awaitInEtcd(Set.of());
    }
  }

  @Test
  void manyThatWantOneFixedAddressGetItOnce() throws Exception {
    List<Boolean> got =
        Together.run(
            CALLERS,
            i -> {
              try {
                host.request(RANGE, "10.2.20.77");
                return true;
              } catch (Refused _) {
                return false;
              }
            });
    assertThat(got).containsOnlyOnce(true);
  }

  @Test
  void aKeyThatACrashLeftWithoutARecordIsSweptAtTheNextStart() {
    InterfaceAddress kept = host.request(RANGE);
    restart(() -> {
      ETCD.put(
          KEYS + "10.2.20.40", "{\"host\":\"198.51.100.11\",\"since\":\"2026-01-01T00:00:00Z\"}");
      lease12();
      ETCD.put(
          KEYS + "10.2.30.41", "{\"host\":\"198.51.100.12\",\"since\":\"2026-01-01T00:00:00Z\"}");
    });
    awaitInEtcd(Set.of(kept.address().toString(), "10.2.30.41"));
  }

  @Test
  void aHostThatIsNeverCalmComparesAllTheSame() {
    host.close();
    host = new TestingHost(ETCD, state, 11, Duration.ofSeconds(1));
    awaitInEtcd(Set.of());
    ETCD.put(KEYS + "10.2.20.40", "{\"host\":\"198.51.100.11\"}");
    Waiting.until(
        "the key without a record is gone",
        PATIENCE,
        () -> {
          // Far more often than it compares.
          host.release(RANGE, host.request(RANGE).address());
          return ETCD.get(KEYS + "10.2.20.40").isEmpty();
        });
  }

  @Test
  void keysThatAnotherHostLeftInASubnetThatIsOursNowAreRemoved() {
    InterfaceAddress kept = host.request(RANGE);
    restart(() -> {
      lease12();
      for (String left : List.of("10.2.20.3", "10.2.20.4", "10.2.30.5")) {
        ETCD.put(KEYS + left, "{\"host\":\"198.51.100.12\"}");
      }
    });
    awaitInEtcd(Set.of(kept.address().toString(), "10.2.30.5"));
  }

  @Test
  void anAddressThatWasPassedOverIsFreeAgainOnceItsKeyIsRemoved() {
    Cidr subnet = Cidr.parse("10.2.20.0/24");
    ETCD.put(KEYS + "10.2.20.2", "{\"host\":\"198.51.100.12\"}");
    InterfaceAddress next = host.request(RANGE);
    assertThat(next.address()).isNotEqualTo(IpAddress.parse("10.2.20.2"));
    awaitInEtcd(Set.of(next.address().toString()));
    Waiting.until(
        "only the other is taken", PATIENCE, () -> host.addresses.usage(subnet).equals("1 of 253"));
    assertThat(host.request(RANGE, "10.2.20.2").address()).isEqualTo(IpAddress.parse("10.2.20.2"));
  }

  @Test
  void theHostThatLostASubnetLeavesTheWinnersKeysAlone() {
    InterfaceAddress mine = host.request(RANGE);
    String lease = "/coreos.com/network/vlan002/subnets/10.2.20.0-24";
    ETCD.put(lease, ETCD.get(lease).orElseThrow().value().replace("100.11", "100.12"));
    Waiting.until(
        "the loss is known",
        PATIENCE,
        () ->
            host.vlans
                .leases("vlan002")
                .filter(leases -> leases.of(IpAddress.parse("198.51.100.12")).size() == 1)
                .isPresent());
    ETCD.put(KEYS + "10.2.20.77", "{\"host\":\"198.51.100.12\"}");
    ETCD.put(KEYS + "10.2.20.40", "{\"host\":\"198.51.100.11\"}");
    host.addresses.publishAll(Cidr.parse(RANGE));
    awaitInEtcd(Set.of(mine.address().toString(), "10.2.20.77"));
  }

  @Test
  void aWipedEtcdGetsAllAddressesBack() {
    List<InterfaceAddress> given = List.of(host.request(RANGE), host.request(RANGE));
    SERVER.stop();
    SERVER.wipe();
    bringEtcdBack();
    awaitInEtcd(texts(given));
  }

  @Test
  void aReleaseThatComesAfterTheAddressWentToAnotherEndpointTakesNothing() {
    IpAddress address = host.request(RANGE).address();
    host.confirmed(address, "51f2a9c0d1b3", mac());
    host.release(RANGE, address);
    assertThat(host.addresses.get(address)).isPresent();
  }

  @Test
  void addressesOfAVlanThatWasLeftWhileEtcdWasAwayAreRemovedAlsoAfterARestart() {
    host.request(RANGE);
    SERVER.stop();
    try {
      Waiting.until("etcd is known to be away", PATIENCE, () -> !ETCD.isReachable());
      host.addresses.releaseAll(Cidr.parse(RANGE));
      host.vlans.leave("vlan002");
      restart(() -> {});
    } finally {
      bringEtcdBack();
    }
    awaitInEtcd(Set.of());
    Waiting.until(
        "the lease is given back",
        PATIENCE,
        () -> ETCD.range("/coreos.com/network/vlan002/subnets").entries().isEmpty());
  }

  @Test
  void brokenValuesInEtcdStopNothing() {
    host.request(RANGE);
    restart(() -> {
      ETCD.put(KEYS + "10.2.20.30", "null");
      ETCD.put(KEYS + "10.2.20.31", "{}");
      ETCD.put(KEYS + "10.2.20.32", "{\"host\":7}");
      ETCD.put(KEYS + "10.2.20.33", "not JSON");
      ETCD.put(KEYS + "not-an-address", "{\"host\":\"198.51.100.11\"}");
      ETCD.put(KEYS + "10.2.20.40", "{\"host\":\"198.51.100.11\"}");
    });
    Waiting.until("the sweep went on", PATIENCE, () -> !inEtcd().contains("10.2.20.40"));
    assertThat(inEtcd()).contains("10.2.20.30", "10.2.20.33", "not-an-address");
    InterfaceAddress next = host.request(RANGE);
    host.release(RANGE, next.address());
    Waiting.until(
        "the mirror works", PATIENCE, () -> !inEtcd().contains(next.address().toString()));
  }

  @Test
  void allocationGoesOnWithoutEtcdAndIsWrittenBackAfterwards() {
    InterfaceAddress before = host.request(RANGE);
    InterfaceAddress freed = host.request(RANGE);
    SERVER.stop();
    List<InterfaceAddress> meanwhile;
    try {
      Waiting.until("etcd is known to be away", PATIENCE, () -> !ETCD.isReachable());
      meanwhile = List.of(host.request(RANGE), host.request(RANGE, "10.2.20.99"));
      host.release(RANGE, freed.address());
      assertThat(meanwhile).doesNotContain(before, freed);
    } finally {
      bringEtcdBack();
    }
    List<InterfaceAddress> wanted = new ArrayList<>(meanwhile);
    wanted.add(before);
    awaitInEtcd(texts(wanted));
  }

  @Test
  void aRestartKeepsPoolsVlansAndAddressesAlsoWithoutEtcd() {
    InterfaceAddress first = host.request(RANGE);
    InterfaceAddress fixed = host.request(RANGE, "10.2.20.99");
    restart(SERVER::stop);
    try {
      assertThat(host.addresses.all().stream().map(AllocatedAddress::address))
          .containsExactlyInAnyOrder(first, fixed);
      assertThat(host.pool(RANGE, "").gateway()).contains(InterfaceAddress.parse("10.2.20.1/24"));
      assertThat(host.request(RANGE)).isNotIn(first, fixed);
      assertThat(host.vlans.byName("vlan002")).isPresent();
    } finally {
      bringEtcdBack();
    }
    Waiting.until("the new address is in etcd", PATIENCE, () -> inEtcd().size() == 3);
  }

  @Test
  void whoHasAnAddressIsToldToEtcdAndTheJournal() {
    IpAddress address = host.request(RANGE).address();
    AllocatedAddress before = host.addresses.get(address).orElseThrow();
    assertThat(before.endpoint()).isEmpty();
    host.addresses.confirm(new Batch(), IpAddress.parse("10.2.20.250"), "unknown", mac());
    host.confirmed(address, "51f2a9c0d1b3", mac());
    assertThat(host.addresses.get(address).orElseThrow())
        .isEqualTo(before.confirmed("51f2a9c0d1b3", mac()));
    Waiting.until(
        "etcd names the endpoint",
        PATIENCE,
        () ->
            ETCD.get(KEYS + address)
                .orElseThrow()
                .value()
                .contains("\"endpoint\":\"51f2a9c0d1b3\""));
  }

  @Test
  void aVlanThatIsLeftTakesItsAddressesOutOfEtcd() {
    host.request(RANGE);
    host.request(RANGE);
    host.addresses.releaseAll(Cidr.parse(RANGE));
    host.vlans.leave("vlan002");
    awaitInEtcd(Set.of());
    assertThat(host.addresses.all()).isEmpty();
  }

  private static MacAddress mac() {
    return MacAddress.parse("0a:58:0a:02:14:02");
  }

  /** Ends the host, lets something happen, and starts it again. */
  private void restart(Runnable meanwhile) {
    host.close();
    meanwhile.run();
    host = new TestingHost(ETCD, state, 11);
  }

  private static void awaitInEtcd(Set<String> wanted) {
    Waiting.until("etcd shows " + wanted, PATIENCE, () -> inEtcd().equals(wanted));
  }

  private static Set<String> inEtcd() {
    return TestingHost.inEtcd(ETCD, "vlan002");
  }

  private static Set<String> texts(List<InterfaceAddress> all) {
    return all.stream().map(a -> a.address().toString()).collect(Collectors.toSet());
  }

  /** Of another host; it stands as long as nobody deletes it. */
  private static void lease12() {
    ETCD.put(
        LEASE12,
        "{\"PublicIP\":\"198.51.100.12\",\"BackendType\":\"vxlan\",\"BackendData\":"
            + "{\"VNI\":2,\"VtepMAC\":\"5e:f6:85:9e:7c:cf\"}}");
  }

  private static void bringEtcdBack() {
    SERVER.start();
    Waiting.until("etcd is known to be back", Duration.ofSeconds(15), ETCD::isReachable);
  }
}
