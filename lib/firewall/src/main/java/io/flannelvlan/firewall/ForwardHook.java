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
  public boolean isCurrent(Set<Passage> passages) {
    for (Iptables kind : Iptables.values()) {
      if (kind.isInUse() && script(kind, passages, Set.of()).isPresent()) {
        return false;
      }
    }
    return true;
  }

  /**
   * Makes this traffic pass, and no other; without any, nothing of ours stays.
   *
   * @param passages that of {@code fvbr.+} is all bridges that begin so: no change of iptables is
   *     needed when one comes or goes
   * @return whether anything had to be changed
   */
  public boolean apply(Set<Passage> passages) {
    return apply(passages, Set.of());
  }

  /**
   * The same, with bridges of others that have containers of ours: Docker would drop what comes to
   * them from another link, so our chain then stands before Docker's.
   */
  public boolean apply(Set<Passage> passages, Set<String> plain) {
    plain.forEach(LinkName::checked);
    boolean changed = false;
    for (Iptables kind : Iptables.values()) {
      Optional<String> script = kind.isInUse() ? script(kind, passages, plain) : Optional.empty();
      if (script.isPresent()) {
        kind.restore(script.get());
        log.info("iptables ({}): put chain {} for {} {}", kind, FilterTable.CHAIN, passages, plain);
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

  private static Optional<String> script(
      Iptables kind, Collection<Passage> passages, Collection<String> plain) {
    FilterTable table = kind.read();
    return passages.isEmpty() ? table.removal() : table.repair(passages, plain);
  }
}
