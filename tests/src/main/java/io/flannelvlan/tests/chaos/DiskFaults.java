package io.flannelvlan.tests.chaos;

import io.flannelvlan.tests.chaos.Fault.Strike;
import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Recollection;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/** What happens to the disk with a plugin's state. */
final class DiskFaults {

  private static final String POLICY = "{{.HostConfig.RestartPolicy.Name}} {{.State.Running}}";

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final List<Host> hosts;

  DiskFaults(List<Host> hosts) {
    this.hosts = hosts;
  }

  List<Fault> all() {
    return List.of(
        fault("state directory lost", Effect.NONE, this::lost),
        fault("host rebooted, state lost", Effect.RESTART, this::rebooted),
        fault("disk full", Effect.NONE, this::full),
        fault("plugin started on full disk", Effect.NONE, this::startedOnFull),
        fault("plugin started read-only", Effect.NONE, this::startedReadOnly));
  }

  private Fault fault(String name, Effect effect, Function<Host, Strike> strike) {
    return new Fault(
        name,
        Kind.DISK,
        effect,
        draw -> {
          int number = draw.between(0, hosts.size() - 1);
          return strike.apply(hosts.get(number)).on(number).refusing();
        });
  }

  /** The journal may lack what runs until all is had back: that belongs to the fault. */
  private Strike lost(Host host) {
    return Strike.of(
        host.name(),
        () -> {
          host.plugin().kill();
          host.loseState();
        },
        () -> {
          Recollection all = new Recollection(host);
          host.plugin().start();
          all.await();
        });
  }

  private Strike rebooted(Host host) {
    return Strike.of(
        host.name(),
        () -> {
          Recollection all = new Recollection(host);
          host.powerOff();
          host.loseState();
          host.powerOn();
          host.plugin().launch();
          host.dockerd().start();
          all.await();
        },
        () -> startWhatDockerTriedTooEarly(host));
  }

  /** An address that the user chose is free again only when Docker was asked about it twice. */
  private static void startWhatDockerTriedTooEarly(Host host) {
    String[] ids = host.docker("ps", "--all", "--quiet").text().split("\\s+", -1);
    for (String id : ids) {
      Await.until(
          PATIENCE,
          () -> host.name() + " can't start " + id + ": " + host.tryDocker("start", id),
          () -> !shouldRun(host, id) || host.tryDocker("start", id).ok());
    }
  }

  private static boolean shouldRun(Host host, String id) {
    return host.tryDocker("inspect", "--format", POLICY, id).text().equals("always false");
  }

  private Strike full(Host host) {
    return Strike.of(host.name(), host.stateDisk()::fill, host.stateDisk()::empty);
  }

  private Strike startedOnFull(Host host) {
    return Strike.of(
        host.name(),
        () -> {
          host.stateDisk().fill();
          host.plugin().kill();
          host.plugin().start();
        },
        host.stateDisk()::empty);
  }

  private Strike startedReadOnly(Host host) {
    return Strike.of(
        host.name(),
        () -> {
          host.plugin().kill();
          host.stateDisk().makeReadOnly();
          host.plugin().start();
        },
        host.stateDisk()::makeWritable);
  }
}
