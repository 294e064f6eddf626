package io.flannelvlan.driver.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.driver.kernel.Desired.Extent;
import io.flannelvlan.firewall.FirewallRules;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What goes of what is not wished, by how much is known. */
class ExtentTest {

  private static final KernelState STANDING =
      KernelState.empty()
          .after(add("fvbr.2", new KernelLink.Bridge()))
          .after(add("fvinuse", new KernelLink.Veth(/* peerAway= */ true)))
          .after(add("fvended", new KernelLink.Veth(/* peerAway= */ true)))
          .after(add("fvunused", new KernelLink.Veth(/* peerAway= */ false)));

  @Test
  void allGoesThatIsNotWished() {
    assertThat(plan(Extent.ALL, Set.of()))
        .containsExactly(
            "ip link del fvended",
            "ip link del fvinuse",
            "ip link del fvunused",
            "ip link del fvbr.2");
  }

  @Test
  void whatMayBeInUseStaysAfterALossAndWhatWasEndedGoes() {
    assertThat(plan(Extent.HAD_BACK, Set.of("fvended", "none")))
        .containsExactly("ip link del fvended", "ip link del fvunused");
  }

  @Test
  void whileRecordsAreHadBackOnlyWhatWasEndedGoes() {
    assertThat(plan(Extent.BEGUN, Set.of("fvended"))).containsExactly("ip link del fvended");
    assertThat(plan(Extent.BEGUN, Set.of())).isEmpty();
  }

  private static List<String> plan(Extent extent, Set<String> ended) {
    Desired desired = new Desired(List.of(), FirewallRules.NONE, List.of(), extent, ended);
    return Plan.between(desired, STANDING).changes().stream().map(Change::toString).toList();
  }

  private static Change add(String name, KernelLink.Kind kind) {
    return new Change.AddLink(
        "vlan002",
        new KernelLink(
            name, kind, Optional.empty(), 1450, true, Optional.empty(), Mark.alias("vlan002")));
  }
}
