package io.flannelvlan.tests.invariants;

import io.flannelvlan.tests.invariants.DockerLook.Endpoint;
import io.flannelvlan.tests.invariants.EtcdLook.Lease;
import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Etcd;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LabException;
import io.flannelvlan.tests.lab.Machine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/** Whether all of a lab's hosts, etcd and the wire tell the same; every daemon must be up. */
public final class Invariants {
  /** Nothing that goes wrong may take longer to be put right by itself. */
  public static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Map<String, Host> hosts = new TreeMap<>();
  private final Etcd etcd;
  private final Machine outside;

  /** Endpoints that dockerd had at the last look, and the journal did not. */
  private Set<Endpoint> missing = Set.of();

  private List<String> broken = List.of();

  /** When everything of the last look had been read; trying who reaches whom takes longer. */
  private long read;

  private Invariants(Lab lab) {
    lab.hosts().forEach(host -> hosts.put(host.name(), host));
    this.etcd = lab.etcd();
    this.outside = lab.outside();
  }

  public static Invariants of(Lab lab) {
    return new Invariants(lab);
  }

  /** Waits until all hold, and says after how long they were seen to. */
  public Duration awaitHeld() {
    return awaitHeld(PATIENCE);
  }

  /**
   * Waits until all hold, and says after how long they were seen to.
   *
   * @throws InvariantBroken if they do not in this time, or if a running container lost its address
   */
  public Duration awaitHeld(Duration limit) {
    long start = System.nanoTime();
    missing = Set.of();
    boolean held =
        Await.within(
            limit,
            () -> {
              broken = look();
              return broken.isEmpty();
            });
    if (!held) {
      throw new InvariantBroken(Duration.ofNanos(System.nanoTime() - start), broken);
    }
    return Duration.ofNanos(read - start);
  }

  /** What does not hold at this moment. */
  private List<String> look() {
    try {
      List<CompletableFuture<HostLook>> looking =
          hosts.values().stream()
              .map(host ->
                  CompletableFuture.supplyAsync(
                      () -> HostLook.at(host), Thread::startVirtualThread))
              .toList();
      List<HostLook> looks = looking.stream().map(CompletableFuture::join).toList();
      requireNoneLost(looks);
      EtcdLook seen = EtcdLook.at(etcd);
      read = System.nanoTime();
      return judge(looks, seen);
    } catch (LabException | java.util.concurrent.CompletionException e) {
      return List.of("cannot look: " + e.getMessage());
    }
  }

  private List<String> judge(List<HostLook> looks, EtcdLook seen) {
    List<String> all = new ArrayList<>();
    looks.forEach(look -> new HostLaws(look, seen, new Differences(look.name(), all)).check());
    all.addAll(overlaps(seen));
    return all.isEmpty() ? new Reachability(hosts, outside, looks).broken() : all;
  }

  private static List<String> overlaps(EtcdLook seen) {
    List<String> all = new ArrayList<>();
    for (Lease one : seen.leases()) {
      for (Lease other : seen.leases()) {
        if (one.host().compareTo(other.host()) < 0 && one.subnet().overlaps(other.subnet())) {
          all.add("two hosts have one subnet: " + one + " and " + other);
        }
      }
    }
    return all;
  }

  /**
   * A running container's address must be in the journal at every moment, not only in the end. One
   * that is on its way out may be missing: it is gone at the next look.
   */
  private void requireNoneLost(List<HostLook> looks) {
    Set<Endpoint> still = new HashSet<>();
    Set<Endpoint> missingNow = new HashSet<>();
    for (HostLook look : looks) {
      for (Endpoint endpoint : look.docker().endpoints()) {
        still.add(endpoint);
        if (!look.journal().table("address").containsKey(endpoint.address())) {
          missingNow.add(endpoint);
        }
      }
    }
    Set<Endpoint> lost = new HashSet<>(missing);
    lost.retainAll(still);
    if (!lost.isEmpty()) {
      throw new InvariantBroken(
          Duration.ZERO,
          lost.stream()
              .map(e -> "a running container's address is not in the journal: " + e)
              .toList());
    }
    missing = missingNow;
  }
}
