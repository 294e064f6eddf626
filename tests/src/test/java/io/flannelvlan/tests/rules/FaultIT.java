package io.flannelvlan.tests.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.faults.FaultyProgram;
import io.flannelvlan.tests.invariants.JournalLook;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.rules.Victim.End;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * {@code kill -9} of the plugin before and after everything that it changes outside its memory:
 * files, links, rules, ports, etcd. It ends once in each call from a network's or a pod's first to
 * its last, in one life at the first point of each call, in the next one at the second, until no
 * call has so many. Then the lost call is made again; or it is not, and whoever made it takes back
 * what led there, or is gone himself. Several hosts live such lives beside each other.
 *
 * <p>Each run takes every other point, since each takes a start: {@code -Dfaults.step=1} takes all.
 */
@ExtendWith(LogsOnFailure.class)
final class FaultIT {
  private static final int HOSTS = Integer.getInteger("faults.hosts", 3);
  private static final int STEP = Integer.getInteger("faults.step", 2);
  private static final int FIRST =
      Integer.getInteger("faults.first", 1 + new Random().nextInt(STEP));

  private static final String[] NONE = {};

  private static Site site;
  private static List<Victim> victims;

  @BeforeAll
  static void boot() {
    site = new Site();
    CompletableFuture<FaultyProgram> weaving =
        CompletableFuture.supplyAsync(() -> FaultyProgram.in(site.lab()));
    List<Host> hosts = site.lab().hostsWithoutDocker(HOSTS);
    FaultyProgram program = weaving.join();
    program.train(hosts.getFirst(), () -> live(new Life(hosts.getFirst(), 1)));
    victims = hosts.parallelStream().map(host -> new Victim(site.lab(), host, program)).toList();
    victims.parallelStream().forEach(FaultIT::learnDocker);
  }

  private static void learnDocker(Victim victim) {
    Life life = life(victim);
    victim.again(life);
    victim.again(life);
    victim.learnDocker(life.network());
    live(life);
  }

  private static void live(Life life) {
    while (!life.isOver()) {
      assertThat(life.step()).as("answered: " + life.next()).isTrue();
    }
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @Test
  void afterAnyKillTheSameCallSucceeds() throws Exception {
    everyPoint(
        (victim, point) -> {
          List<String> killed = victim.go(life(victim), End.at(point), victim::again);
          site.nothingRemains(victim.host());
          return killed;
        },
        "write in JournalFile.append",
        "NetlinkSocket.exchange",
        "Nft.run",
        "bind in HostPorts.bound",
        "Calls.write");
  }

  @Test
  void afterAnyKillNobodyNeedMakeTheCallAgain() throws Exception {
    everyPoint((victim, point) -> {
      List<String> killed = victim.go(life(victim), End.at(point), life -> forget(victim, life));
      try (StubEngine _ = victim.emptyDocker()) {
        site.nothingRemains(victim.host());
      }
      return killed;
    });
  }

  @Test
  void afterAnyKillInTheJournalsRewritingItIsTheOldOneOrTheNewOne() throws Exception {
    everyPoint(
        (victim, point) -> {
          List<String> killed =
              victim.goWithLongJournal(
                  life(victim),
                  inRewriting(point),
                  life -> {
                    victim.recordsAgree();
                    victim.again(life);
                  });
          site.nothingRemains(victim.host());
          return killed;
        },
        "open in JournalFile.openForOwner",
        "write in JournalFile.rewrite",
        "force in JournalFile.rewrite",
        "move in JournalFile.rewrite",
        "force in JournalFile.forceDirectory");
  }

  @Test
  void afterAnyKillOfAStartTheNextOneServes() throws Exception {
    AtomicInteger next = new AtomicInteger(FIRST);
    onAll(victim -> {
      Life life = life(victim);
      while (!life.next().contains("Revoke")) {
        victim.again(life);
      }
      while (victim.endInStart(next.getAndAdd(STEP)).isPresent()) {
        // The next one goes further.
      }
      victim.recordsAgree();
      live(life);
      site.nothingRemains(victim.host());
    });
    assertThat(next).hasValueGreaterThan(20);
  }

  /** Calls differ in nothing there, so a beginning, a change and an end will do. */
  private static End inRewriting(int point) {
    return new End(
        point,
        ".* in JournalFile.(openForOwner|rewrite|forceDirectory)",
        call -> call.matches(".*\\.(CreateNetwork|Join|ReleaseAddress)"));
  }

  @Test
  void afterAnyKillOfAnAddOrDelTheRuntimesNextCallsSucceed() throws Exception {
    everyPoint(
        (victim, point) -> {
          List<String> killed = victim.go(podLife(victim), End.at(point), victim::again);
          requireNoPodRemains(victim);
          return killed;
        },
        "NetlinkSocket.exchange");
  }

  @Test
  void afterAnyKillOfAnAddOrDelAPodMayVanish() throws Exception {
    everyPoint((victim, point) -> {
      List<String> killed = victim.go(podLife(victim), End.at(point), life -> forget(victim, life));
      requireNoPodRemains(victim);
      return killed;
    });
  }

  private static void forget(Victim victim, Victim.Course life) {
    victim.recordsAgree();
    life.giveUp();
  }

  private static void requireNoPodRemains(Victim victim) {
    site.nothingRemains(victim.host());
    assertThat(JournalLook.attachmentsOf(victim.host())).isEmpty();
  }

  private static PodLife podLife(Victim victim) {
    int vni = 101 + victims.indexOf(victim);
    String vlan = "pods" + vni;
    site.makeByHand(vlan, "10." + vni + ".0.0/16", vni);
    return new PodLife(victim.host(), vlan);
  }

  private static Life life(Victim victim) {
    return new Life(victim.host(), 1 + victims.indexOf(victim));
  }

  /** A life at one point of each of its calls; the kills. */
  private interface Trial {
    List<String> go(Victim victim, int point) throws Exception;
  }

  private static void everyPoint(Trial trial, String... among) throws Exception {
    Queue<String> killed = new ConcurrentLinkedQueue<>();
    AtomicInteger next = new AtomicInteger(FIRST);
    onAll(victim -> {
      List<String> last;
      do {
        last = trial.go(victim, next.getAndAdd(STEP));
        killed.addAll(last);
      } while (!last.isEmpty());
    });
    System.out.println(
        killed.size() + " kills; the same: -Dfaults.first=" + FIRST + " -Dfaults.step=" + STEP);
    for (String point : STEP == 1 ? among : NONE) {
      assertThat(killed).anyMatch(one -> one.endsWith(point));
    }
  }

  /** What is done to one host. */
  private interface Deed {
    void to(Victim victim) throws Exception;
  }

  private static void onAll(Deed deed) throws Exception {
    try (ExecutorService hosts = Executors.newFixedThreadPool(HOSTS)) {
      List<Future<?>> all = new ArrayList<>();
      for (Victim victim : victims) {
        all.add(
            hosts.submit(() -> {
              deed.to(victim);
              return null;
            }));
      }
      for (Future<?> one : all) {
        one.get();
      }
    }
  }
}
