package io.flannelvlan.tests.invariants;

import io.flannelvlan.tests.invariants.DockerLook.Endpoint;
import io.flannelvlan.tests.invariants.EtcdLook.Lease;
import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.EtcdStore;
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
  private final EtcdStore etcd;
  private final Machine outside;

  /** Endpoints that dockerd had at the last look, and the journal did not. */
  private Set<Endpoint> missing = Set.of();

  private List<String> broken = List.of();

  /** At the last look, the addresses in etcd that no endpoint has and no user set aside. */
  private List<String> leaked = List.of();

  /** When everything of the last look had been read; trying who reaches whom takes longer. */
  private long read;

  /** Without dockerd and the wire. */
  private final boolean recordsOnly;

  private Invariants(Lab lab, List<Host> hosts, EtcdStore etcd, boolean recordsOnly) {
    this.recordsOnly = recordsOnly;
    hosts.forEach(host -> this.hosts.put(host.name(), host));
    this.etcd = etcd;
    this.outside = lab.outside();
  }

  public static Invariants of(Lab lab) {
    return of(lab, lab.etcd());
  }

  /** Where the hosts have another etcd than the lab's own. */
  public static Invariants of(Lab lab, EtcdStore etcd) {
    return new Invariants(lab, lab.hosts(), etcd, /* recordsOnly= */ false);
  }

  /** Of one host's journal, etcd and kernel alone, where a test makes dockerd's calls. */
  public static Invariants ofRecords(Lab lab, Host host) {
    return new Invariants(lab, List.of(host), lab.etcd(), /* recordsOnly= */ true);
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

  /** The addresses that were given out, and that nobody has, when all was last looked at. */
  public List<String> leaked() {
    return leaked;
  }

  /** What does not hold at this moment. */
  private List<String> look() {
    try {
      List<CompletableFuture<HostLook>> looking =
          hosts.values().stream()
              .map(host ->
                  CompletableFuture.supplyAsync(() -> look(host), Thread::startVirtualThread))
              .toList();
      List<HostLook> looks = looking.stream().map(CompletableFuture::join).toList();
      requireNoneLost(looks);
      EtcdLook seen = EtcdLook.at(etcd);
      leaked = leaked(looks, seen);
      read = System.nanoTime();
      return judge(looks, seen);
    } catch (LabException | java.util.concurrent.CompletionException e) {
      return List.of("cannot look: " + e.getMessage());
    }
  }

  private HostLook look(Host host) {
    return recordsOnly ? HostLook.withoutDocker(host) : HostLook.at(host);
  }

  private List<String> judge(List<HostLook> looks, EtcdLook seen) {
    List<String> all = new ArrayList<>();
    looks.forEach(look -> new HostLaws(look, seen, new Differences(look.name(), all)).check());
    all.addAll(overlaps(seen));
    return all.isEmpty() && !recordsOnly ? new Reachability(hosts, outside, looks).broken() : all;
  }

  private static List<String> leaked(List<HostLook> looks, EtcdLook seen) {
    Set<String> had = new HashSet<>();
    for (HostLook look : looks) {
      look.docker().endpoints().forEach(endpoint -> had.add(endpoint.address()));
      had.addAll(look.docker().reserved());
    }
    return seen.addresses().stream()
        .filter(held -> !had.contains(held.address()))
        .map(EtcdLook.Held::toString)
        .toList();
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
