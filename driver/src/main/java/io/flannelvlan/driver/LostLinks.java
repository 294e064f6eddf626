package io.flannelvlan.driver;

import io.flannelvlan.driver.kernel.KernelState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Whose links were taken away by somebody. A veth pair is one thing with two ends: deleted here, it
 * is gone from the container too, with the address and the routes that dockerd gave it there, and
 * only dockerd can make an end anew. So it is told, not repaired.
 *
 * <p>Only links that this process has seen count: after a reboot of the host all are gone, and
 * dockerd makes its containers new ones. On the kernel thread alone.
 */
final class LostLinks {

  private final Set<String> seen = new HashSet<>();

  /** The endpoints whose link has gone since the last look though they are in a sandbox. */
  List<Endpoint> look(Collection<Endpoint> endpoints, KernelState state) {
    List<Endpoint> lost = new ArrayList<>();
    Set<String> present = new HashSet<>();
    for (Endpoint endpoint : endpoints) {
      String link = endpoint.hostLink();
      if (state.link(link).isPresent()) {
        present.add(link);
      } else if (seen.contains(link) && endpoint.state() == Endpoint.State.JOINED) {
        lost.add(endpoint);
      }
    }
    seen.clear();
    seen.addAll(present);
    return lost;
  }
}
