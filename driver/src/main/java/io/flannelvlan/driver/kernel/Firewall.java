package io.flannelvlan.driver.kernel;

import io.flannelvlan.firewall.Conntrack;
import io.flannelvlan.firewall.FirewallException;
import io.flannelvlan.firewall.FirewallRules;
import io.flannelvlan.firewall.ForwardHook;
import io.flannelvlan.firewall.Nft;
import io.flannelvlan.firewall.Passage;
import io.flannelvlan.firewall.PublishedPort;
import io.flannelvlan.firewall.VlanRules;
import io.flannelvlan.netlink.LegacyFilterTable;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The firewall's part of a pass. Looking at it costs two processes, some 10 ms, so it is looked at
 * only when the rules changed or when somebody may have touched it.
 */
final class Firewall {

  private static final Logger LOG = LoggerFactory.getLogger(Firewall.class);

  private final Nft nft = new Nft();
  private final ForwardHook hook = new ForwardHook();
  private final Conntrack conntrack = new Conntrack();
  private final AtomicBoolean suspect = new AtomicBoolean(true);
  private FirewallRules settled = FirewallRules.NONE;

  /** Of which nft has rules, by this process: what keeps them apart from others stands. */
  private Set<String> apart = Set.of();

  /** As it was when it was last asked for; a change of our own costs one look. */
  private Optional<LegacyFilterTable> legacy = Optional.empty();

  /** Somebody may have touched it; from any thread. */
  void suspect() {
    suspect.set(true);
  }

  /** Whether legacy iptables' rules have changed, which it tells nobody; on the kernel thread. */
  boolean changedQuietly() {
    Optional<LegacyFilterTable> before = legacy;
    legacy = LegacyFilterTable.read();
    boolean changed = !legacy.equals(before);
    if (changed) {
      suspect();
    }
    return changed;
  }

  boolean isSuspect() {
    return suspect.get();
  }

  /**
   * Brings it to these rules; on the kernel thread.
   *
   * @param mayLook whether there is time to look at it although the rules are the same
   * @return what nft or iptables said against it
   */
  Optional<String> settle(FirewallRules rules, boolean mayLook) {
    boolean look = mayLook && suspect.get();
    if (rules.equals(settled) && !look) {
      return Optional.empty();
    }
    if (look) {
      // Before looking: what changes meanwhile is looked at in the next pass.
      suspect.set(false);
    }
    try {
      apply(rules, look);
      FirewallRules before = settled;
      settled = rules;
      forgetFlows(before.ports(), rules.ports());
      return Optional.empty();
    } catch (RuntimeException e) {
      // Whatever became of nft or iptables, the links are put right all the same.
      suspect.set(true);
      return Optional.of(
          e instanceof FirewallException ? String.valueOf(e.getMessage()) : e.toString());
    }
  }

  /** Whether that VLAN is kept apart from the others; on the kernel thread. */
  boolean isApart(String vlan) {
    return apart.contains(vlan);
  }

  /**
   * nft and iptables side by side: each is mostly waited for, and a user waits for both. But at
   * first nft alone: where nothing keeps VLANs apart, nothing may let them pass.
   */
  private void apply(FirewallRules rules, boolean look) {
    Set<Passage> passing = passing(rules);
    Set<String> plain = rules.plainBridges();
    boolean same = passing.equals(passing(settled)) && plain.equals(settled.plainBridges());
    boolean hooked = same && !look;
    if (hooked) {
      load(rules);
    } else if (apart.isEmpty()) {
      load(rules);
      hook.apply(passing, plain);
    } else {
      CompletableFuture<Boolean> forward =
          CompletableFuture.supplyAsync(
              () -> hook.apply(passing, plain), Thread::startVirtualThread);
      try {
        load(rules);
      } finally {
        await(forward);
      }
    }
  }

  private void load(FirewallRules rules) {
    nft.apply(rules);
    apart = rules.vlans().stream().map(VlanRules::name).collect(Collectors.toSet());
  }

  /** One pattern for all bridges that we named: iptables need not know of a further VLAN. */
  private static Set<Passage> passing(FirewallRules rules) {
    return rules.passages().stream()
        .map(one -> Mark.isOwnBridge(one.bridge()) ? Passage.of(Mark.BRIDGE + "+") : one)
        .collect(Collectors.toSet());
  }

  private static void await(CompletableFuture<Boolean> forward) {
    try {
      forward.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof FirewallException refusal) {
        throw refusal;
      }
      throw e;
    }
  }

  /**
   * A UDP client that talks on would stay with the port's last target for as long as it talks, so
   * its flow is forgotten when a port comes or goes.
   */
  private void forgetFlows(List<PublishedPort> before, List<PublishedPort> now) {
    Set<PublishedPort> published = new HashSet<>(now);
    Set<PublishedPort> withdrawn = new HashSet<>(before);
    withdrawn.removeAll(published);
    before.forEach(published::remove);
    if ((published.isEmpty() && withdrawn.isEmpty()) || !conntrack.isInstalled()) {
      return;
    }
    try {
      conntrack.forget(published, withdrawn);
    } catch (FirewallException e) {
      // The ports are published all the same; who has talked before must be silent for a while.
      LOG.warn("UDP flows stay as they are: {}", e.getMessage());
    }
  }
}
