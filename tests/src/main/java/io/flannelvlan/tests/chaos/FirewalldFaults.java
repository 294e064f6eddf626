package io.flannelvlan.tests.chaos;

import io.flannelvlan.tests.chaos.Fault.Strike;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Firewalld;
import io.flannelvlan.tests.lab.Host;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/** What firewalld does on a host; once started it stays, until a step stops it or the host ends. */
final class FirewalldFaults {
  private final List<Host> hosts;
  private final Map<Integer, Firewalld> firewalls = new TreeMap<>();

  FirewalldFaults(List<Host> hosts) {
    this.hosts = hosts;
    for (int number = 0; number < hosts.size(); number++) {
      if (hosts.get(number).engine() == Engine.DOCKER_28) {
        firewalls.put(number, new Firewalld(hosts.get(number)));
      }
    }
  }

  List<Fault> all() {
    return List.of(
        fault("firewalld started", FirewalldFaults::start),
        fault("firewalld reloaded", ask("--reload")),
        fault("firewalld reloaded wholly", ask("--complete-reload")),
        fault("firewalld stopped", FirewalldFaults::stop));
  }

  /**
   * What running containers may notice of this step, if it came now. A dockerd that starts beside
   * firewalld has its rules made by that, and may have it reload, which drops what comes meanwhile.
   */
  Effect effect(Step step) {
    boolean drops =
        step.effect() == Effect.NONE
            && step instanceof Step.Trouble trouble
            && trouble.fault().kind() == Kind.DOCKERD
            && trouble.strike().host().stream().anyMatch(this::runsOn);
    return drops ? Effect.PACKETS : step.effect();
  }

  private boolean runsOn(int host) {
    Firewalld firewalld = firewalls.get(host);
    return firewalld != null && firewalld.alive();
  }

  private Fault fault(String name, Consumer<Firewalld> harm) {
    return new Fault(
        name,
        Kind.FIREWALLD,
        Effect.PACKETS,
        draw -> {
          int number = draw.of(List.copyOf(firewalls.keySet()));
          Firewalld firewalld = firewalls.get(number);
          return Strike.of(hosts.get(number).name(), () -> harm.accept(firewalld)).on(number);
        });
  }

  private static void start(Firewalld firewalld) {
    if (firewalld.alive()) {
      firewalld.stop();
    }
    firewalld.start();
    firewalld.openAsReadmeHasIt();
  }

  private static Consumer<Firewalld> ask(String reload) {
    return firewalld -> {
      startUnlessAlive(firewalld);
      firewalld.ask(reload);
    };
  }

  private static void stop(Firewalld firewalld) {
    startUnlessAlive(firewalld);
    firewalld.stop();
  }

  private static void startUnlessAlive(Firewalld firewalld) {
    if (!firewalld.alive()) {
      start(firewalld);
    }
  }
}
