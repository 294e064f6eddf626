package io.flannelvlan.firewall;

import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where iptables would drop what our table accepted (Docker sets FORWARD's policy to DROP), one
 * chain of ours accepts packets from and to our bridges. What is forbidden our own table has
 * dropped before, by its earlier priority; rules in DOCKER-USER still come first.
 *
 * <p>Docker's chains and all policies stay as they are. In the network namespace of the calling
 * thread; blocking; one thread only.
 */
public final class ForwardHook {

  private static final Logger log = LoggerFactory.getLogger(ForwardHook.class);

  /** Whether our traffic passes: one run of iptables-save, some milliseconds. */
  public boolean isCurrent(Set<String> bridges) {
    for (Iptables kind : Iptables.values()) {
      if (kind.isInUse() && script(kind, bridges).isPresent()) {
        return false;
      }
    }
    return true;
  }

  /**
   * Makes the traffic of these bridges pass, and of no others; without bridges, nothing of ours
   * stays.
   *
   * @param bridges names; {@code fvbr.+} means all that begin so, and need no change of iptables
   *     when one comes or goes
   * @return whether anything had to be changed
   */
  public boolean apply(Set<String> bridges) {
    bridges.forEach(LinkName::checkedForIptables);
    boolean changed = false;
    for (Iptables kind : Iptables.values()) {
      Optional<String> script = kind.isInUse() ? script(kind, bridges) : Optional.empty();
      if (script.isPresent()) {
        kind.restore(script.get());
        log.info("iptables ({}): put chain {} for {}", kind, FilterTable.CHAIN, bridges);
        changed = true;
      }
    }
    return changed;
  }

  /**
   * Removes our chain, if it is there.
   *
   * @return whether it was there
   */
  public boolean remove() {
    return apply(Set.of());
  }

  private static Optional<String> script(Iptables kind, Collection<String> bridges) {
    FilterTable table = kind.read();
    return bridges.isEmpty() ? table.removal() : table.repair(bridges);
  }
}
