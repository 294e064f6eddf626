package io.flannelvlan.flannel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.etcd.Guard;
import io.flannelvlan.etcd.KeyValue;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.etcd.Txn;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.etcd.WatchListener;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.Vni;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VlanStoreIT {

  private static final TestingEtcd SERVER = TestingEtcd.started();
  private static final Etcd ETCD = SERVER.client();
  private static final FlannelKeys KEYS = new FlannelKeys(FlannelKeys.DEFAULT_PREFIX);
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private final VlanStore store = new VlanStore(ETCD, KEYS, new Random(1), InstantSource.system());

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
  void aCreatedConfigIsByteForByteWhatTheSeedPuts() {
    store.create("vlan002", config("10.2.0.0/16", 2));

    assertThat(ETCD.get("/coreos.com/network/vlan002/config").get().value())
        .isEqualTo("{\"Network\":\"10.2.0.0/16\",\"Backend\":{\"Type\":\"vxlan\",\"VNI\":2}}");
  }

  @Test
  void aConfigPutByHandIsTheSameVlan() {
    SERVER.ctl(
        "put",
        "/coreos.com/network/vlan002/config",
        "{ \"network\": \"10.2.0.0/16\", \"Backend\": { \"Type\": \"vxlan\", \"VNI\": 2 } }");
    long revision = ETCD.get("/coreos.com/network/vlan002/config").get().modRevision();

    Vlan created = store.create("vlan002", config("10.2.0.0/16", 2));

    assertThat(store.find("vlan002")).contains(created);
    assertThat(ETCD.get("/coreos.com/network/vlan002/config").get().modRevision())
        .isEqualTo(revision);
  }

  @ParameterizedTest
  @CsvSource({
    "vlan003, 10.3.0.0/16, 2, VNI 2 belongs to vlan002",
    "other,   10.2.0.0/16, 3, overlaps vlan002",
    "other,   10.2.7.0/24, 3, overlaps vlan002",
    "other,   10.0.0.0/8,  3, overlaps vlan002",
    "vlan002, 10.3.0.0/16, 2, VLAN vlan002 exists as",
    "vlan002, 10.2.0.0/16, 3, VLAN vlan002 exists as",
    "other,   10.66.1.0/24, 3, overlaps 10.66.0.0/16 of an unusable config",
  })
  void whatConflictsIsRefusedNamingWhatHoldsIt(String name, String range, int vni, String text) {
    store.create("vlan002", config("10.2.0.0/16", 2));
    ETCD.put("/coreos.com/network/old/config", "{\"Network\":\"10.66.0.0/16\"}");
    Vlans before = store.list();

    assertThatThrownBy(() -> store.create(name, config(range, vni)))
        .isInstanceOfSatisfying(
            VlanException.class, e -> assertThat(e.kind()).isEqualTo(VlanException.Kind.CONFLICT))
        .hasMessageContaining(text);
    assertThat(store.list().byName()).isEqualTo(before.byName());
  }

  @Test
  void aBrokenConfigOfTheSameNameIsNotOverwritten() {
    ETCD.put(KEYS.config("vlan002"), "{not json");

    assertThatThrownBy(() -> store.create("vlan002", config("10.2.0.0/16", 2)))
        .isInstanceOf(FlannelFormatException.class)
        .hasMessageContaining("/coreos.com/network/vlan002/config")
        .hasMessageContaining("{not json");
    assertThat(ETCD.get(KEYS.config("vlan002")).get().value()).isEqualTo("{not json");
  }

  @Test
  void theListHasEveryUsableConfigAndNamesTheOthers() {
    store.create("vlan001", config("10.1.0.0/16", 1));
    store.create("vlan002", config("10.2.0.0/16", 2));
    ETCD.put("/coreos.com/network/vlan003/config", "rubbish");
    ETCD.put("/coreos.com/network/config", "{\"Network\":\"10.9.0.0/16\"}");
    ETCD.put("/coreos.com/network/nested/vlan009/config", "{\"Network\":\"10.9.0.0/16\"}");
    ETCD.put("/coreos.com/network/subnets1/config", "{}");

    Vlans vlans = store.list();

    assertThat(vlans.byName()).containsOnlyKeys("vlan001", "vlan002");
    assertThat(vlans.broken())
        .extracting(BrokenEntry::key)
        .containsExactly(
            "/coreos.com/network/subnets1/config", "/coreos.com/network/vlan003/config");
    assertThat(vlans.freeVni()).isEqualTo(new Vni(3));
    assertThat(vlans.find(new Vni(2)).map(Vlan::name)).contains("vlan002");
  }

  @Test
  void ofHostsThatCreateConflictingVlansAtOnceExactlyOneSucceeds() throws Exception {
    for (int round = 0; round < 5; round++) {
      empty();
      List<Boolean> made =
          Together.run(8, host -> tryCreate("vlan" + host, "10.2." + host + ".0/24", 2));
      assertThat(made).containsOnlyOnce(true);
      assertThat(store.list().byName()).hasSize(1);
    }
  }

  @Test
  void hostsThatCreateTheSameVlanAtOnceAllSucceed() throws Exception {
    List<Boolean> made = Together.run(8, _ -> tryCreate("vlan002", "10.2.0.0/16", 2));
    assertThat(made).containsOnly(true);
  }

  @Test
  void hostsThatCreateDifferentVlansAtOnceAllSucceed() throws Exception {
    List<Boolean> made =
        Together.run(8, host -> tryCreate("vlan" + host, "10." + host + ".0.0/16", host + 1));
    assertThat(made).containsOnly(true);
    assertThat(store.list().byName()).hasSize(8);
  }

  @Test
  void theWatchTellsNewVlansKeepsBrokenOnesAndIgnoresLeases() {
    List<Vlans> told = new CopyOnWriteArrayList<>();
    store.create("vlan001", config("10.1.0.0/16", 1));
    try (VlanWatch _ = store.watchVlans(listener(told))) {
      Waiting.until("first", LIMIT, () -> told.size() == 1);
      ETCD.put("/coreos.com/network/vlan001/subnets/10.1.20.0-24", "{}");
      store.create("vlan002", config("10.2.0.0/16", 2));
      Waiting.until("created", LIMIT, () -> told.getLast().byName().size() == 2);
      ETCD.put(KEYS.config("vlan002"), "rubbish");
      Waiting.until("broken", LIMIT, () -> !told.getLast().broken().isEmpty());
      assertThat(told.getLast().byName()).containsKey("vlan002");
      ETCD.delete(KEYS.config("vlan002"));
      Waiting.until("deleted", LIMIT, () -> told.getLast().byName().size() == 1);
      assertThat(told.getLast().broken()).isEmpty();
      assertThat(told).hasSize(4);
    }
  }

  @Test
  void withANewVlanGoesTheWordThatItsNetworkWillBeDescribed() {
    String key = FlannelKeys.network("vlan001");
    ETCD.put(key, "{\"generation\":\"of an earlier one\"}");
    Vlan vlan = store.create("vlan001", config("10.1.0.0/16", 1));
    assertThat(ETCD.get(key).orElseThrow().value()).startsWith("{\"announced\":\"");
    store.discard(vlan);
    assertThat(ETCD.get(key)).isEmpty();
  }

  /** A transaction that etcd carries out when it thaws, after its sender had given it up. */
  @Test
  void whatIsStillUnderWayOfAVlanThatWasTakenBackComesToNothing() {
    Optional<KeyValue> read = ETCD.get(FlannelKeys.REGISTRY);
    Vlan vlan = new Vlan("vlan001", config("10.1.0.0/16", 1));
    store.discard(vlan);
    Txn late =
        Txn.when(Guard.asRead(FlannelKeys.REGISTRY, read))
            .put(KEYS.config("vlan001"), FlannelJson.write(vlan.config()));
    assertThat(ETCD.txn(late).succeeded()).isFalse();
    assertThat(store.find("vlan001")).isEmpty();
  }

  @Test
  void whatIsSaidOfALostVlanIsKeptWhenItIsPutBack() {
    Vlan vlan = store.create("vlan001", config("10.1.0.0/16", 1));
    String key = FlannelKeys.network("vlan001");
    ETCD.put(key, "{\"generation\":\"g1\"}");
    ETCD.delete(KEYS.config("vlan001"));
    assertThat(store.putBack(vlan)).isTrue();
    assertThat(ETCD.get(key).orElseThrow().value()).isEqualTo("{\"generation\":\"g1\"}");
  }

  @Test
  void aVlanThatWasRemovedEverywhereIsNotPutBackButCanBeMadeAnew() {
    Vlan vlan = store.create("vlan001", config("10.1.0.0/16", 1));
    ETCD.delete(KEYS.config("vlan001"));
    assertThat(store.putBack(vlan)).isTrue();
    assertThat(store.find("vlan001")).contains(vlan);
    ETCD.put(FlannelKeys.network("vlan001"), "{\"removed\":\"g1\",\"done\":false}");
    assertThat(store.removeUnused(vlan)).isTrue();
    assertThat(store.putBack(vlan)).isFalse();
    assertThat(store.find("vlan001")).isEmpty();
    store.create("vlan001", vlan.config());
    assertThat(ETCD.get(FlannelKeys.network("vlan001")).orElseThrow().value())
        .startsWith("{\"announced\":\"");
  }

  private static WatchListener<Vlans> listener(List<Vlans> told) {
    return new WatchListener<>() {
      @Override
      public void current(Vlans state) {
        told.add(state);
      }

      @Override
      public void notCurrent(EtcdException reason) {
        throw new AssertionError(reason);
      }
    };
  }

  private boolean tryCreate(String name, String range, int vni) {
    try {
      store.create(name, config(range, vni));
      return true;
    } catch (VlanException e) {
      assertThat(e.kind()).isEqualTo(VlanException.Kind.CONFLICT);
      return false;
    }
  }

  private static NetworkConfig config(String range, int vni) {
    return NetworkConfig.of(Cidr.parse(range), new Vni(vni));
  }
}
