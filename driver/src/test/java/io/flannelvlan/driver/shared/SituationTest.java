package io.flannelvlan.driver.shared;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.Vni;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a host does about the VLANs' networks, by what it knows. */
class SituationTest {

  private static final Instant NOW = Instant.parse("2026-11-23T20:00:00Z");
  private static final Vlan VLAN = vlan("vlan002", "10.2.0.0/16", 2);

  private final Map<String, Vlan> vlans = new HashMap<>(Map.of(VLAN.name(), VLAN));
  private final Map<String, SharedNetwork> shared = new HashMap<>();
  private final Set<String> overdue = new HashSet<>();
  private final List<NetworkHere> here = new ArrayList<>();
  private final Map<String, Settled> settled = new HashMap<>();
  private NetworkChoice choice = new NetworkChoice.All();

  @Test
  void aNetworkThatIsDescribedIsMadeAsDescribed() {
    shared.put("vlan002", described("g1"));
    assertSteps(
        new Step.Place(
            VLAN,
            Optional.of(described("g1")),
            "web",
            true,
            Map.of("vni", "2", "mtu", "1400"),
            Map.of("l", "m")));
  }

  @Test
  void oneThatIsHereIsNotedOnceAndThenNothingIsToBeDone() {
    shared.put("vlan002", described("g1"));
    here.add(network("n1", 0));
    assertSteps(new Step.Settle(new Settled("vlan002", "g1", Set.of("n1"))));
    settle("g1", "n1");
    assertSteps();
  }

  @Test
  void oneThatItsUserRemovedStaysAwayUntilItIsAnother() {
    shared.put("vlan002", described("g1"));
    settle("g1", "n1");
    assertSteps();
    shared.put("vlan002", described("g2"));
    assertThat(steps()).singleElement().isInstanceOf(Step.Place.class);
    // Nor does it come back when etcd has lost it.
    shared.clear();
    assertSteps();
  }

  @Test
  void aVlanThatNobodyDescribedGetsANetworkOfItsOwnName() {
    assertSteps(new Step.Place(VLAN, word(), "vlan002", false, Map.of("vni", "2"), Map.of()));
    Vlan blue = vlan("blue", "10.3.0.0/16", 3);
    vlans.clear();
    vlans.put("blue", blue);
    assertSteps(
        new Step.Place(
            blue, word(), "blue", false, Map.of("vni", "3", "network", "blue"), Map.of()));
  }

  @Test
  void whoHasTheNetworkDescribesItFirstTheOldest() {
    here.add(network("n2", 60));
    here.add(network("n1", 0));
    assertSteps(new Step.Publish(VLAN, "n1"));
    shared.put("vlan002", new SharedNetwork.Announced(NOW));
    assertSteps(new Step.Publish(VLAN, "n1"));
  }

  @Test
  void whatIsAnnouncedIsWaitedFor() {
    shared.put("vlan002", new SharedNetwork.Announced(NOW));
    assertSteps();
    overdue.add("vlan002");
    assertSteps(new Step.Place(VLAN, word(), "vlan002", false, Map.of("vni", "2"), Map.of()));
  }

  @Test
  void aNetworkOfDockersOwnIpamIsOneHostsAffair() {
    here.add(new NetworkHere("n1", "vlan002", true, NOW));
    assertSteps();
  }

  @Test
  void aHostOrANetworkMayStayOut() {
    choice = NetworkChoice.of(List.of("vlan001"));
    assertSteps();
    shared.put("vlan002", described("g1"));
    assertSteps();
    choice = NetworkChoice.of(List.of("vlan002"));
    assertThat(steps()).hasSize(1);
    shared.put("vlan002", described("g1", "10.2.0.0/16", false));
    assertSteps();
  }

  @Test
  void aDescriptionOfAnotherVlanOfThatNameCountsForNothing() {
    shared.put("vlan002", described("g1", "10.9.0.0/16", true));
    assertSteps(new Step.Place(VLAN, word(), "vlan002", false, Map.of("vni", "2"), Map.of()));
    here.add(network("n1", 0));
    assertSteps(new Step.Publish(VLAN, "n1"));
  }

  @Test
  void aDescriptionWithoutAVlanAndAnUnreadableOneWait() {
    vlans.clear();
    shared.put("vlan002", described("g1"));
    assertSteps();
    vlans.put("vlan002", VLAN);
    shared.put("vlan002", new SharedNetwork.Unreadable("rubbish"));
    assertSteps();
    here.add(network("n1", 0));
    assertSteps();
  }

  @Test
  void whatIsRemovedEverywhereIsRemovedHereAndThenFromEtcd() {
    SharedNetwork.Removed removed = removed("g1", false);
    shared.put("vlan002", removed);
    here.add(network("n1", 0));
    settle("g1", "n1");
    assertSteps(new Step.Remove("vlan002", "n1", removed));
    here.clear();
    assertSteps(new Step.Discard("vlan002"));
    vlans.clear();
    assertSteps(new Step.Discard("vlan002"));
    shared.put("vlan002", removed("g1", true));
    assertSteps();
  }

  @Test
  void whatWasMadeSinceIsNotRemovedButDescribed() {
    shared.put("vlan002", removed("g1", true));
    settle("g1", "n1");
    here.add(network("n2", 0));
    assertSteps(new Step.Publish(VLAN, "n2"));
    // Both may be there on a host that was away.
    here.add(network("n1", 60));
    assertThat(steps()).singleElement().isInstanceOf(Step.Remove.class);
  }

  @Test
  void aVlanThatIsBackAfterItsRemovalWasMadeAnew() {
    shared.put("vlan002", removed("g1", true));
    settle("g1", "n1");
    assertThat(steps()).singleElement().isInstanceOf(Step.Place.class);
  }

  private Optional<SharedNetwork> word() {
    return Optional.ofNullable(shared.get("vlan002"));
  }

  private void assertSteps(Step... steps) {
    assertThat(steps()).containsExactly(steps);
  }

  private List<Step> steps() {
    return new Situation(vlans, shared, overdue, here, settled, choice).steps();
  }

  private void settle(String generation, String... networks) {
    settled.put("vlan002", new Settled("vlan002", generation, Set.of(networks)));
  }

  private static SharedNetwork described(String generation) {
    return described(generation, "10.2.0.0/16", true);
  }

  private static SharedNetwork described(String generation, String range, boolean everywhere) {
    return new SharedNetwork.Described(
        generation,
        Cidr.parse(range),
        "web",
        true,
        Map.of("vni", "2", "mtu", "1400"),
        Map.of("l", "m"),
        everywhere,
        "198.51.100.11",
        NOW);
  }

  private static SharedNetwork.Removed removed(String generation, boolean done) {
    return new SharedNetwork.Removed(generation, done, "198.51.100.11", NOW);
  }

  private static NetworkHere network(String id, int age) {
    return new NetworkHere(id, "vlan002", false, NOW.plusSeconds(age));
  }

  private static Vlan vlan(String name, String range, int vni) {
    return new Vlan(name, NetworkConfig.of(Cidr.parse(range), new Vni(vni)));
  }
}
