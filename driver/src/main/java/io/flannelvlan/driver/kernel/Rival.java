package io.flannelvlan.driver.kernel;

import io.flannelvlan.driver.kernel.KernelLink.Bridge;
import io.flannelvlan.driver.kernel.KernelLink.Other;
import io.flannelvlan.driver.kernel.KernelLink.OtherVxlan;
import io.flannelvlan.driver.kernel.KernelLink.Veth;
import io.flannelvlan.driver.kernel.KernelLink.Vxlan;
import java.util.Comparator;
import java.util.Optional;

/**
 * A foreign link of another name beside which the kernel allows no link of ours: it has our VNI and
 * port, or receives on our port in a way that can't be shared. One of ours is no rival, since the
 * plan that meets it removes it.
 *
 * @param need what we need and it has, to be followed by "already"
 */
record Rival(KernelLink link, String need) {

  static Optional<Rival> of(KernelLink wanted, KernelState state) {
    return wanted.kind() instanceof Vxlan ours
        ? state.links().values().stream()
            .filter(link -> !Mark.isOurs(link))
            .sorted(Comparator.comparing(KernelLink::name))
            .flatMap(link -> between(ours, link).stream())
            .findFirst()
        : Optional.empty();
  }

  private static Optional<Rival> between(Vxlan ours, KernelLink link) {
    return switch (link.kind()) {
      case Vxlan theirs when theirs.port() == ours.port() ->
          of(ours, link, theirs.vni().equals(ours.vni()), theirs.gbp() != ours.gbp());
      case OtherVxlan theirs when theirs.port() == ours.port() ->
          of(ours, link, theirs.vni().equals(Optional.of(ours.vni())), theirs.receivesOtherwise());
      case Vxlan _, OtherVxlan _, Bridge _, Veth _, Other _ -> Optional.empty();
    };
  }

  /** Only a link that is up holds its port. */
  private static Optional<Rival> of(
      Vxlan ours, KernelLink link, boolean sameVni, boolean receivesOtherwise) {
    if (sameVni) {
      return Optional.of(
          new Rival(link, "a link with VNI " + ours.vni() + ", which " + link.name() + " has"));
    }
    return receivesOtherwise && link.up()
        ? Optional.of(
            new Rival(
                link,
                "UDP port "
                    + ours.port()
                    + " with other options than "
                    + link.name()
                    + ", which has it"))
        : Optional.empty();
  }
}
