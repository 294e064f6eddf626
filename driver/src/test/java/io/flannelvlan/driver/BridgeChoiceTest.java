package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.kernel.KernelLink;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.net.Vni;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BridgeChoiceTest {

  private static final KernelState HOST =
      state(
          link("br-tun1", new KernelLink.Bridge(), ""),
          link("br-ours", new KernelLink.Bridge(), "flannelvlan bridge/br-ours"),
          link("docker0", new KernelLink.Bridge(), ""),
          link("br-0123456789ab", new KernelLink.Bridge(), ""),
          link("br-with-a-name1", new KernelLink.Bridge(), ""),
          link("eth1", new KernelLink.Other(""), ""));

  @ParameterizedTest
  @CsvSource({
    // asked for, chosen, whether it is the user's
    "'',      fvbr.2,  false",
    "fvbr.2,  fvbr.2,  false",
    "br-new,  br-new,  false",
    "br-ours, br-ours, false",
    "br-tun1, br-tun1, true",
  })
  void aBridgeThatStandsAndIsNotOursIsTheUsers(String asked, String name, boolean users) {
    assertThat(choice(asked, List.of())).isEqualTo(new BridgeChoice(name, users));
  }

  @Test
  void aFurtherVlanTakesTheBridgeForWhatTheFirstTookIt() {
    // The user's own is away, or one has come where ours was: it stays what it was.
    for (boolean users : List.of(true, false)) {
      VlanLinks standing =
          new VlanLinks(
              "vlan003", "eth0", TestingDriver.HERE, 1450, "br-tun1", false, "eth0", users);
      for (KernelState state : List.of(HOST, KernelState.empty())) {
        assertThat(
                BridgeChoice.of(
                    new Vni(2),
                    NetworkOptions.parse(Map.of("bridge", "br-tun1")),
                    List.of(standing),
                    state))
            .isEqualTo(new BridgeChoice("br-tun1", users));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "fvbr.3,          is a name that flannelvlan gives to other links",
    "flannel.2,       is a name that flannelvlan gives to other links",
    "eth1,            'is a link of this host, and no bridge: choose another name'",
    "docker0,         'is a bridge of Docker''s own: choose another name'",
    "br-0123456789ab, 'is a bridge of Docker''s own: choose another name'",
    "br-with-a-name1, 'is a bridge of yours, whose name must not be longer than 12 characters'",
  })
  void whatCantHoldAVlanIsRefusedByName(String asked, String reason) {
    assertThatThrownBy(() -> choice(asked, List.of()))
        .isInstanceOf(Refused.class)
        .hasMessageStartingWith("option bridge: \"" + asked + "\" " + reason);
  }

  private static BridgeChoice choice(String asked, List<VlanLinks> standing) {
    return BridgeChoice.of(
        new Vni(2), NetworkOptions.parse(Map.of("bridge", asked)), standing, HOST);
  }

  private static KernelState state(KernelLink... links) {
    Map<String, KernelLink> all = new HashMap<>();
    for (KernelLink link : links) {
      all.put(link.name(), link);
    }
    return new KernelState(all, Set.of(), Set.of(), Set.of(), Set.of(), Set.of());
  }

  private static KernelLink link(String name, KernelLink.Kind kind, String alias) {
    return new KernelLink(name, kind, Optional.empty(), 1500, true, Optional.empty(), alias);
  }
}
