package io.flannelvlan.ipam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.net.InterfaceAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A journal that was damaged or lost: etcd tells which addresses are in use. */
class LostAddressesIT {

  private static final TestingEtcd SERVER = TestingEtcd.started();
  private static final Etcd ETCD = SERVER.client();
  private static final String RANGE = "10.2.0.0/16";
  private static final Duration PATIENCE = Duration.ofSeconds(15);

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
  void addressesThatADamagedJournalLostAreTakenOverFromEtcd() throws Exception {
    InterfaceAddress kept = host.request(RANGE);
    InterfaceAddress lost = host.request(RANGE);
    host.close();
    damage(lost);
    host = new TestingHost(ETCD, state, 11);
    awaitTakenOver(lost);
    Waiting.until(
        "the journal is repaired", PATIENCE, () -> !Files.exists(state.resolve("journal.damaged")));
    assertThat(state.resolve("journal.damaged.1")).exists();
    assertThat(host.request(RANGE)).isNotIn(kept, lost);
    assertThat(inEtcd()).contains(kept.address().toString(), lost.address().toString());
  }

  @Test
  void noAddressIsGivenOutWhileTheJournalIsDamagedAndEtcdAway() throws Exception {
    host.request(RANGE);
    InterfaceAddress lost = host.request(RANGE);
    host.request(RANGE);
    host.close();
    damage(lost);
    SERVER.freeze();
    try {
      host = new TestingHost(ETCD, state, 11);
      assertThatThrownBy(() -> host.request(RANGE))
          .isInstanceOf(Refused.class)
          .hasMessageContaining("journal of this host was damaged");
    } finally {
      SERVER.thaw();
    }
    awaitTakenOver(lost);
  }

  @Test
  void aHostThatLostItsStateGivesNoAddressOfARunningContainerAgain() throws Exception {
    InterfaceAddress running = host.request(RANGE);
    host.close();
    try (Stream<Path> files = Files.list(state)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    host = new TestingHost(ETCD, state, 11);
    host.createNetwork(RANGE, 2, 24);
    assertThat(host.request(RANGE)).isNotEqualTo(running);
    assertThat(host.addresses.get(running.address())).isPresent();
  }

  /** A dockerd that boots gives back what its containers had, maybe before the VLAN is back. */
  @Test
  void whatDockerdGaveBackBeforeALostStateWasHadBackIsNotTakenOverFromEtcd() throws Exception {
    InterfaceAddress kept = host.request(RANGE);
    InterfaceAddress released = host.request(RANGE);
    host.close();
    Files.delete(state.resolve("journal"));
    host = new TestingHost(ETCD, state, 11);
    host.release(RANGE, released.address());
    host.createNetwork(RANGE, 2, 24);
    assertThat(host.addresses.get(kept.address())).isPresent();
    assertThat(host.addresses.get(released.address())).isEmpty();
    Set<String> wanted = Set.of(kept.address().toString());
    Waiting.until("etcd shows " + wanted, PATIENCE, () -> inEtcd().equals(wanted));
    assertThat(host.request(RANGE, released.address().toString())).isEqualTo(released);
  }

  private void awaitTakenOver(InterfaceAddress lost) {
    Waiting.until(
        lost + " is taken over", PATIENCE, () -> host.addresses.get(lost.address()).isPresent());
  }

  /** Spoils the line that tells of the address. */
  private void damage(InterfaceAddress lost) {
    try {
      Path file = state.resolve("journal");
      String text = Files.readString(file);
      Files.writeString(file, text.replace("\"" + lost.address() + "\"", "\"damaged\""));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Set<String> inEtcd() {
    return TestingHost.inEtcd(ETCD, "vlan002");
  }
}
