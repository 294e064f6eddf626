package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.Endpoint.State;
import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.firewall.Protocol;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.net.Cidr;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The moves of an endpoint after its creation, each again and out of order. */
class EndpointsIT {

  /** Nobody answers there: none of these moves needs etcd. */
  private static final TestingEtcd AWAY = TestingEtcd.neverStarted();

  private static final Etcd ETCD = AWAY.client();
  private static final String SANDBOX = "/var/run/docker/netns/1";

  @TempDir Path state;
  private TestingDriver driver;

  @BeforeEach
  void start() {
    TestingDriver.record(
        state,
        List.of(Records.network("vlan002", false), Records.network("vlan003", true)),
        List.of(),
        List.of(
            Records.endpoint("a", "vlan002", State.CREATED),
            Records.endpoint("b", "vlan002", State.CREATED),
            Records.endpoint("c", "vlan003", State.JOINED),
            Records.endpoint("d", "gone", State.JOINED)));
    driver = new TestingDriver(ETCD, state);
  }

  @AfterEach
  void stop() {
    driver.close();
  }

  @AfterAll
  static void end() {
    ETCD.close();
    AWAY.close();
  }

  @Test
  void joiningAgainIsTheSameAndIntoAnotherSandboxIsRefused() {
    Endpoint joined = driver.endpoints.join("a", SANDBOX);
    assertThat(joined.state()).isEqualTo(State.JOINED);
    assertThat(driver.endpoints.join("a", SANDBOX)).isEqualTo(joined);
    assertThatThrownBy(() -> driver.endpoints.join("a", "/var/run/docker/netns/2"))
        .isInstanceOf(Refused.class)
        .hasMessage("endpoint a is in sandbox " + SANDBOX + " already");
    assertThat(driver.endpoints.require("a")).isEqualTo(joined);
  }

  @Test
  void whoHasLeftDoesNotJoinAgain() {
    driver.endpoints.join("a", SANDBOX);
    driver.endpoints.publishing("a", List.of(port()));
    driver.endpoints.leave("a");
    Endpoint left = driver.endpoints.require("a");
    assertThat(left.state()).isEqualTo(State.LEFT);
    assertThat(left.ports()).isEmpty();
    driver.endpoints.leave("a");
    assertThat(driver.endpoints.require("a")).isEqualTo(left);
    assertThatThrownBy(() -> driver.endpoints.join("a", SANDBOX))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("has left its sandbox");
  }

  @Test
  void leavingAndDeletingWhatIsUnknownIsNoErrorAndJoiningItIs() {
    driver.endpoints.leave("x");
    driver.endpoints.delete("x");
    driver.endpoints.publishing("x", List.of(port()));
    assertThat(driver.endpoints.find("x")).isEmpty();
    assertThatThrownBy(() -> driver.endpoints.join("x", SANDBOX))
        .isInstanceOf(Refused.class)
        .hasMessage("endpoint x is unknown to flannelvlan on this host: restart its container");
  }

  @Test
  void theStateSurvivesARestart() {
    driver.endpoints.join("a", SANDBOX);
    driver.endpoints.publishing("a", List.of(port()));
    driver.endpoints.delete("b");
    Endpoint before = driver.endpoints.require("a");
    driver.close();
    driver = new TestingDriver(ETCD, state);
    assertThat(driver.endpoints.require("a")).isEqualTo(before);
    assertThat(before.ports()).containsExactly(port());
    assertThat(driver.endpoints.find("b")).isEmpty();
  }

  @Test
  void onlyDockersIpamLeavesTheReleaseOfTheAddressToUs() {
    for (String id : List.of("a", "c", "d")) {
      Endpoint endpoint = driver.endpoints.require(id);
      driver.addresses.take(
          Cidr.parse("10.2.0.0/16"), endpoint.address().subnet(), endpoint.address().address());
      Batch batch = new Batch();
      driver.addresses.confirm(batch, endpoint.address().address(), id, endpoint.mac());
      driver.commit(batch);
      driver.endpoints.delete(id);
      driver.endpoints.delete(id);
      assertThat(driver.addresses.get(endpoint.address().address()).isPresent())
          .as(id)
          .isEqualTo(id.equals("a"));
    }
  }

  @Test
  void anEndpointThatIsOverTakesNoAddressThatWentToAnother() {
    for (String id : List.of("a", "c")) {
      Endpoint over = driver.endpoints.require(id);
      driver.addresses.take(
          Cidr.parse("10.2.0.0/16"), over.address().subnet(), over.address().address());
      Batch batch = new Batch();
      driver.addresses.confirm(batch, over.address().address(), "another", over.mac());
      driver.commit(batch);
      driver.endpoints.giveUp(id);
      driver.endpoints.delete(id);
      assertThat(driver.addresses.get(over.address().address())).as(id).isPresent();
    }
  }

  @Test
  void aNetworksEndpointsAreForgottenWithIt() {
    Batch batch = new Batch();
    driver.endpoints.forgetAll(batch, "net-vlan002");
    assertThat(driver.endpoints.of("net-vlan002")).hasSize(2);
    driver.networks.delete("net-vlan002", driver.endpoints::forgetAll);
    driver.networks.delete("net-vlan002", driver.endpoints::forgetAll);
    assertThat(driver.endpoints.all()).extracting(Endpoint::id).containsExactlyInAnyOrder("c", "d");
    assertThatThrownBy(() -> driver.networks.require("net-vlan002"))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("network net-vlan002 is unknown to flannelvlan on this host");
  }

  private static HostPort port() {
    return new HostPort(Protocol.TCP, Optional.empty(), 8080, 80);
  }
}
