package io.flannelvlan.driver;

import io.flannelvlan.driver.kernel.KernelLink;
import io.flannelvlan.driver.kernel.KernelState;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A kernel with links of ours. */
final class Seen {

  private Seen() {}

  static KernelState links(KernelLink... links) {
    return new KernelState(
        Stream.of(links).collect(Collectors.toMap(KernelLink::name, Function.identity())),
        Set.of(),
        Set.of(),
        Set.of(),
        Set.of(),
        Set.of());
  }

  static KernelLink bridge(String name, String vlan) {
    return link(name, new KernelLink.Bridge(), vlan);
  }

  /** An endpoint's, with the other end in a sandbox. */
  static KernelLink inSandbox(String endpoint, String vlan) {
    return link(LinkNames.hostEnd(endpoint), new KernelLink.Veth(/* peerAway= */ true), vlan);
  }

  private static KernelLink link(String name, KernelLink.Kind kind, String vlan) {
    return new KernelLink(
        name, kind, Optional.empty(), 1450, true, Optional.empty(), "flannelvlan " + vlan);
  }
}
