package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.shared.SharedNetworks;
import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.Vni;
import java.nio.file.Path;
import java.time.Clock;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A VLAN with a host that died in it, asked to go from another one that is not in it. */
class RemovalIT {

  private static final TestingEtcd SERVER = TestingEtcd.started();
  private static final Etcd ETCD = SERVER.client();
  private static final String LEASE = "/coreos.com/network/vlan002/subnets/10.2.30.0-24";
  private static final String ADDRESS = "/flannelvlan/addresses/vlan002/10.2.30.5";

  @TempDir Path state;
  private TestingDriver driver;
  private Vlan vlan;

  @BeforeEach
  void start() {
    SERVER.ctl("del", "", "--from-key=true");
    driver = new TestingDriver(ETCD, state);
    vlan = driver.store.create("vlan002", NetworkConfig.of(Cidr.parse("10.2.0.0/16"), new Vni(2)));
    ETCD.put(
        LEASE,
        "{\"PublicIP\":\"198.51.100.12\",\"BackendType\":\"vxlan\",\"BackendData\":"
            + "{\"VNI\":2,\"VtepMAC\":\"5e:f6:85:9e:7c:cf\"}}");
    ETCD.put(ADDRESS, "{\"host\":\"198.51.100.12\",\"endpoint\":\"51f2a9c0d1b3\"}");
    // Its Docker network was removed here once: there is no announcement to wait for.
    ETCD.delete("/flannelvlan/networks/vlan002");
  }

  @AfterEach
  void stop() {
    driver.close();
  }

  @AfterAll
  static void end() {
    ETCD.close();
    SERVER.close();
  }

  @Test
  void containersOfAHostWithALeaseAreInTheWayAndThoseOfADeadOneNot() {
    assertThatThrownBy(() -> removal().remove("vlan002"))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("10.2.30.5 on host 198.51.100.12");
    ETCD.delete(LEASE);
    assertThat(removal().remove("vlan002")).isEqualTo("VLAN " + vlan + " is removed");
    assertThat(ETCD.get(ADDRESS)).isEmpty();
  }

  /** The last host takes the config out of etcd; here that is done when the word is written. */
  private Removal removal() {
    return new Removal(
        driver.store,
        new SharedNetworks(ETCD),
        driver.addresses,
        () -> TestingDriver.HERE,
        () -> {
          driver.store.removeUnused(vlan);
          return "0";
        },
        Clock.systemUTC());
  }
}
