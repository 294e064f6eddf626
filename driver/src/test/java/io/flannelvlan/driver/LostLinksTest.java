package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.driver.Endpoint.State;
import io.flannelvlan.driver.kernel.KernelLink;
import io.flannelvlan.driver.kernel.KernelState;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LostLinksTest {

  private static final Endpoint JOINED = Records.endpoint("a", "vlan002", State.JOINED);
  private static final Endpoint LEFT = Records.endpoint("b", "vlan002", State.LEFT);

  private final LostLinks links = new LostLinks();

  @Test
  void aLinkThatVanishesIsToldOnce() {
    assertThat(links.look(List.of(JOINED), kernel(JOINED))).isEmpty();
    assertThat(links.look(List.of(JOINED), kernel())).containsExactly(JOINED);
    assertThat(links.look(List.of(JOINED), kernel())).isEmpty();
  }

  @Test
  void theLinkOfAnEndpointThatHasLeftMayVanish() {
    links.look(List.of(LEFT), kernel(LEFT));
    assertThat(links.look(List.of(LEFT), kernel())).isEmpty();
  }

  @Test
  void aLinkThatWasNeverSeenIsNotMissed() {
    assertThat(links.look(List.of(JOINED), kernel())).isEmpty();
  }

  private static KernelState kernel(Endpoint... present) {
    Map<String, KernelLink> all = new HashMap<>();
    for (Endpoint endpoint : present) {
      String name = endpoint.hostLink();
      all.put(
          name,
          new KernelLink(
              name,
              new KernelLink.Veth(/* peerAway= */ true),
              Optional.empty(),
              1450,
              true,
              Optional.empty(),
              ""));
    }
    return new KernelState(all, Set.of(), Set.of(), Set.of(), Set.of(), Set.of());
  }
}
