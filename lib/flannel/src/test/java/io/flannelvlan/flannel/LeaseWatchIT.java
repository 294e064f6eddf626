package io.flannelvlan.flannel;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.etcd.EtcdSettings;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.etcd.TestingProxy;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.etcd.WatchListener;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LeaseWatchIT {

  private static final FlannelKeys KEYS = new FlannelKeys(FlannelKeys.DEFAULT_PREFIX);
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private final TestingEtcd server = TestingEtcd.started();
  private final Etcd etcd = server.client();
  private final VlanStore store = store(etcd);
  private final Vlan vlan =
      new Vlan("vlan002", NetworkConfig.of(Cidr.parse("10.2.0.0/16"), new Vni(2)));

  /** Keeps what it heard last, and every reason for not being current. */
  private static final class Ear implements WatchListener<VlanEntries> {

    final AtomicReference<VlanEntries> last = new AtomicReference<>(VlanEntries.NONE);
    final List<EtcdException> troubles = new CopyOnWriteArrayList<>();

    @Override
    public void current(VlanEntries state) {
      last.set(state);
    }

    @Override
    public void notCurrent(EtcdException reason) {
      troubles.add(reason);
    }

    Leases leases() {
      return last.get().leases();
    }
  }

  @AfterEach
  void end() {
    etcd.close();
    server.close();
  }

  @Test
  void aBrokenValueKeepsTheLastLeaseOfItsKeyAndAllOthers() {
    Lease one = store.acquire(vlan, host(1), Wish.any());
    Lease two = store.acquire(vlan, host(2), Wish.any());
    Ear ear = new Ear();
    try (LeaseWatch _ = store.watchLeases(vlan, ear)) {
      Waiting.until("both", LIMIT, () -> ear.leases().bySubnet().size() == 2);
      String key = KEYS.lease("vlan002", one.key());
      etcd.put(key, "rubbish");
      Waiting.until("broken", LIMIT, () -> ear.leases().broken().size() == 1);
      assertThat(ear.leases().bySubnet().values()).containsExactlyInAnyOrder(one, two);
      assertThat(ear.leases().broken().getFirst().reason()).contains(key, "rubbish");

      LeaseAttributes moved = host(9);
      etcd.put(key, FlannelJson.write(moved));
      Waiting.until(
          "cured",
          LIMIT,
          () ->
              ear.leases()
                  .at(one.subnet())
                  .map(Lease::attributes)
                  .filter(moved::equals)
                  .isPresent());
      assertThat(ear.leases().broken()).isEmpty();

      etcd.put(key, "rubbish");
      etcd.delete(key);
      Waiting.until("gone", LIMIT, () -> ear.leases().bySubnet().size() == 1);
      assertThat(ear.leases().bySubnet().values()).containsExactly(two);
    }
  }

  @Test
  void leasesThatChangedWhileHistoryWasCompactedAreSeenWithTheirNewValues() {
    try (TestingProxy proxy = TestingProxy.to(server.endpoint());
        Etcd far = Etcd.open(EtcdSettings.plain(proxy.endpoint()))) {
      Lease one = store.acquire(vlan, host(1), Wish.any());
      Lease two = store.acquire(vlan, host(2), Wish.any());
      Ear ear = new Ear();
      try (LeaseWatch watch = store(far).watchLeases(vlan, ear)) {
        Waiting.until("both", LIMIT, () -> ear.leases().bySubnet().size() == 2);
        proxy.cut();
        Waiting.until("trouble", LIMIT, () -> !watch.isCurrent());
        store.update(vlan, one, host(11));
        store.release(vlan, two);
        store.acquire(vlan, host(3), Wish.any());
        server.compact(store.leases(vlan).revision());
        proxy.restore();
        Waiting.until(
            "the state of now",
            LIMIT,
            () -> ear.leases().bySubnet().equals(store.leases(vlan).bySubnet()));
      }
      assertThat(ear.leases().of(host(11).publicIp())).hasSize(1);
      assertThat(ear.troubles).isNotEmpty().allMatch(EtcdException::isAway);
    }
  }

  @Test
  void aSiblingKeyIsNoLease() {
    Ear ear = new Ear();
    etcd.put(KEYS.vlan("vlan002") + "/endpoints/x", "1");
    etcd.put(KEYS.vlan("vlan0022") + "/subnets/10.2.9.0-24", FlannelJson.write(host(4)));
    try (LeaseWatch _ = store.watchLeases(vlan, ear)) {
      Lease one = store.acquire(vlan, host(1), Wish.any());
      Waiting.until("one", LIMIT, () -> !ear.leases().bySubnet().isEmpty());
      assertThat(ear.leases().bySubnet().values()).containsExactly(one);
      assertThat(ear.leases().broken()).isEmpty();
    }
  }

  @Test
  void theConfigIsShownTogetherWithTheLeases() {
    String key = KEYS.config("vlan002");
    Ear ear = new Ear();
    try (LeaseWatch _ = store.watchLeases(vlan, ear)) {
      Lease one = store.acquire(vlan, host(1), Wish.any());
      Waiting.until("one", LIMIT, () -> !ear.leases().bySubnet().isEmpty());
      assertThat(ear.last.get().config()).isEqualTo(new ConfigEntry.Absent());

      store.create("vlan002", vlan.config());
      Waiting.until(
          "the config",
          LIMIT,
          () -> ear.last.get().config().equals(new ConfigEntry.Usable(vlan.config())));
      etcd.put(key, "rubbish");
      Waiting.until(
          "the fault",
          LIMIT,
          () ->
              ear.last.get().config() instanceof ConfigEntry.Unusable unusable
                  && unusable.reason().contains(key));
      etcd.delete(key);
      Waiting.until(
          "its end", LIMIT, () -> ear.last.get().config().equals(new ConfigEntry.Absent()));
      assertThat(ear.leases().bySubnet().values()).containsExactly(one);
    }
  }

  private static VlanStore store(Etcd etcd) {
    return new VlanStore(etcd, KEYS, new Random(1), InstantSource.system());
  }

  private static LeaseAttributes host(int number) {
    return LeaseAttributes.vxlan(
        IpAddress.parse("10.0.0." + number), new Vni(2), new MacAddress(0x020000000000L + number));
  }
}
