package io.flannelvlan.tests.away;

import io.flannelvlan.tests.invariants.InvariantBroken;
import io.flannelvlan.tests.invariants.Invariants;
import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.HandlerTimes;
import io.flannelvlan.tests.lab.Hardware;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LabException;
import io.flannelvlan.tests.lab.Protocol;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Two hosts lose etcd for as long as one likes. Containers talk all the while, and others come and
 * go; the plugins are restarted in the middle. A third host has etcd again before the two, and
 * leaves one VLAN and joins another: they have to find that out by themselves.
 */
public final class Away {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** More than a plugin may have open in the end. */
  private static final int MORE_FILES = 10;

  /** The two hear nothing of etcd. */
  private static final String DEAF = " INPUT -p tcp --sport 2379 -j DROP";

  private final Plan plan;
  private final PrintStream out;
  private final long start = System.nanoTime();

  Away(Plan plan, PrintStream out) {
    this.plan = plan;
    this.out = out;
  }

  public static void main(String[] arguments) {
    Locale.setDefault(Locale.ROOT);
    try {
      System.exit(new Away(Plan.parse(arguments), System.out).held() ? 0 : 1);
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage() + "\n" + Plan.USAGE);
      System.exit(2);
    }
  }

  /** Whether all that is promised was kept, after telling how it went. */
  boolean held() {
    say(Hardware.text());
    try (Lab lab = Lab.start()) {
      List<Host> hosts = lab.hosts(Engine.DOCKER_28, Engine.DOCKER_20_10, Engine.DOCKER_28);
      hosts.forEach(host -> host.pluginFirst().plugin().start());
      List<Host> two = hosts.subList(0, 2);
      Host third = hosts.get(2);
      hosts.forEach(host -> create(host, 1));
      two.forEach(host -> create(host, 2));
      two.forEach(host -> host.run("old", "vlan001"));
      two.forEach(host -> host.run("stays", "vlan001"));
      third.run("leaves", "vlan001");
      Invariants invariants = Invariants.of(lab);
      invariants.awaitHeld();
      return held(lab, two, third, invariants);
    } catch (LabException | InvariantBroken e) {
      say("BROKEN " + e.getMessage());
      return false;
    }
  }

  private boolean held(Lab lab, List<Host> two, Host third, Invariants invariants) {
    List<Dialogue> dialogues =
        Arrays.stream(Protocol.values()).map(protocol -> dialogue(lab, two, protocol)).toList();
    List<Watched> watched = two.stream().map(Watched::new).toList();
    lab.etcd().daemon().kill();
    long left = System.nanoTime();
    say("etcd is away");
    for (int round = 1; round <= plan.rounds(); round++) {
      play(round, watched);
      pauseUntil(left + plan.apart().multipliedBy(round).toNanos());
    }
    two.forEach(host -> host.in(("iptables -A" + DEAF).split(" ", -1)).orThrow());
    lab.etcd().daemon().start();
    third.container("leaves").remove();
    Await.until(PATIENCE, () -> "no VLAN can be made", () -> tryCreate(third, 2));
    third.docker("network", "rm", "vlan001");
    String came = third.run("came", "vlan002").address();
    two.forEach(host -> host.in(("iptables -D" + DEAF).split(" ", -1)).orThrow());
    say("etcd is back after " + seconds(since(left)));
    Duration agreed = invariants.awaitHeld();
    for (Host host : two) {
      if (!host.container("in2").pings(came)) {
        throw new LabException(host.name() + " does not reach the container that came meanwhile");
      }
    }
    say("all agreed after " + seconds(agreed));
    watched.forEach(Watched::look);
    return report(watched, dialogues.stream().map(Dialogue::end).toList());
  }

  private Dialogue dialogue(Lab lab, List<Host> two, Protocol protocol) {
    Container from = two.getFirst().container("old");
    Container to = two.getLast().container("old");
    if (!from.reaches(to.address())) {
      throw new LabException(from.name() + " does not reach " + to.address());
    }
    Path end = lab.dir().resolve("dialogue-" + protocol.word() + "-ends");
    Duration longest = plan.apart().multipliedBy(plan.rounds()).plusMinutes(10);
    return new Dialogue(protocol, from, to, end, longest);
  }

  /** A container comes and reaches the other host, and goes. */
  private void play(int round, List<Watched> watched) {
    for (Watched one : watched) {
      Host host = one.host();
      if (round == 2) {
        host.container("stays").remove();
        host.run("in2", "vlan002");
      }
      if (round == plan.rounds() / 2 + 1) {
        restart(host, /* kill= */ one == watched.getFirst());
      }
      Container guest = host.run("guest", "vlan001", "--publish", "8080:80");
      for (Watched other : watched) {
        String address = other.host().container("old").address();
        if (!guest.reaches(address)) {
          throw new LabException("a new container of " + host.name() + " can't reach " + address);
        }
      }
      if (round == plan.rounds()) {
        host.run("new", "vlan001");
      }
      guest.remove();
      one.look();
    }
    say("round " + round + " of " + plan.rounds());
  }

  private void restart(Host host, boolean kill) {
    if (kill) {
      host.plugin().kill();
    } else {
      host.plugin().stop();
    }
    long began = System.nanoTime();
    host.plugin().start();
    say(host.name() + "'s plugin answers again " + seconds(since(began)) + " after its end");
  }

  private boolean report(List<Watched> watched, List<Dialogue.Outcome> outcomes) {
    watched.forEach(one -> say(one.toString()));
    outcomes.forEach(one ->
        say(
            "%s: %d of %d packets lost, longest wait %d ms"
                .formatted(
                    one.protocol(),
                    one.lost(),
                    one.lost() + one.answers(),
                    one.longestWaitMillis())));
    boolean held =
        watched.stream()
                .allMatch(one -> one.slowest() < HandlerTimes.MOST && one.moreFiles() <= MORE_FILES)
            && outcomes.stream().allMatch(one -> one.lost() == 0 && one.answers() > 0);
    say(held ? "all was kept" : "BROKEN, see above");
    return held;
  }

  private static void create(Host host, int vlan) {
    if (!tryCreate(host, vlan)) {
      throw new LabException(host.name() + " can't make vlan00" + vlan);
    }
  }

  private static boolean tryCreate(Host host, int vlan) {
    String line =
        "network create -d flannelvlan --ipam-driver flannelvlan --subnet 10.%d.0.0/16 --opt vni=%<d vlan00%<d"
            .formatted(vlan);
    return host.tryDocker(line.split(" ", -1)).ok();
  }

  private static void pauseUntil(long moment) {
    try {
      Thread.sleep(Duration.ofNanos(Math.max(0, moment - System.nanoTime())));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted", e);
    }
  }

  private void say(String line) {
    out.println("[%7.1f s] %s".formatted(since(start).toMillis() / 1000.0, line));
    out.flush();
  }

  private static Duration since(long moment) {
    return Duration.ofNanos(System.nanoTime() - moment);
  }

  private static String seconds(Duration duration) {
    return "%.1f s".formatted(duration.toMillis() / 1000.0);
  }
}
