package io.flannelvlan.tests.chaos;

import io.flannelvlan.tests.chaos.Fault.Strike;
import io.flannelvlan.tests.lab.Daemon;
import io.flannelvlan.tests.lab.Host;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/** Processes and hosts that end. */
final class DaemonFaults {
  private final List<Host> hosts;

  DaemonFaults(List<Host> hosts) {
    this.hosts = hosts;
  }

  List<Fault> all() {
    return List.of(
        new Fault("plugin killed", Kind.PLUGIN, Effect.NONE, onAny(this::pluginKilled)),
        new Fault("plugin stopped", Kind.PLUGIN, Effect.NONE, onAny(this::pluginStopped)),
        new Fault("plugin upgraded", Kind.PLUGIN, Effect.NONE, onAny(this::pluginUpgraded)),
        new Fault("plugin frozen", Kind.PLUGIN, Effect.NONE, onAny(this::pluginFrozen)),
        new Fault("dockerd killed", Kind.DOCKERD, Effect.RESTART, onFirstTwo(this::dockerdKilled)),
        new Fault(
            "dockerd stopped", Kind.DOCKERD, Effect.RESTART, onFirstTwo(this::dockerdStopped)),
        new Fault("live dockerd killed", Kind.DOCKERD, Effect.NONE, onLast(this::dockerdKilled)),
        new Fault("live dockerd stopped", Kind.DOCKERD, Effect.NONE, onLast(this::dockerdStopped)),
        new Fault(
            "plugin and dockerd killed",
            Kind.DOCKERD,
            Effect.RESTART,
            onFirstTwo(this::bothKilled)),
        new Fault("host rebooted", Kind.HOST, Effect.RESTART, onAny(this::rebooted)));
  }

  private Strike pluginKilled(Host host) {
    return ends(host, host.plugin(), Daemon::kill);
  }

  private Strike pluginStopped(Host host) {
    return ends(host, host.plugin(), Daemon::stop);
  }

  private Strike pluginUpgraded(Host host) {
    return Strike.of(
        host.name(),
        () -> {
          host.upgrade();
          host.plugin().stop();
        },
        host.plugin()::start);
  }

  private Strike pluginFrozen(Host host) {
    return Strike.of(host.name(), host.plugin()::freeze, host.plugin()::thaw);
  }

  private Strike dockerdKilled(Host host) {
    return ends(host, host.dockerd(), Daemon::kill);
  }

  private Strike dockerdStopped(Host host) {
    return ends(host, host.dockerd(), Daemon::stop);
  }

  private Strike bothKilled(Host host) {
    return Strike.of(
        host.name(),
        () -> {
          host.plugin().kill();
          host.dockerd().kill();
        },
        () -> {
          host.plugin().launch();
          host.dockerd().start();
        });
  }

  private Strike rebooted(Host host) {
    return Strike.of(host.name(), host::reboot);
  }

  private static Strike ends(Host host, Daemon daemon, Consumer<Daemon> end) {
    return Strike.of(host.name(), () -> end.accept(daemon), daemon::start);
  }

  private Function<Draw, Strike> onAny(Function<Host, Strike> fault) {
    return among(0, hosts.size() - 1, fault);
  }

  /** Their dockerd takes its containers along. */
  private Function<Draw, Strike> onFirstTwo(Function<Host, Strike> fault) {
    return among(0, hosts.size() - 2, fault);
  }

  private Function<Draw, Strike> onLast(Function<Host, Strike> fault) {
    return among(hosts.size() - 1, hosts.size() - 1, fault);
  }

  private Function<Draw, Strike> among(int first, int last, Function<Host, Strike> fault) {
    return draw -> {
      int number = draw.between(first, last);
      return fault.apply(hosts.get(number)).on(number).refusing();
    };
  }
}
