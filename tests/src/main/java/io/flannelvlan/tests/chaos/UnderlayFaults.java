package io.flannelvlan.tests.chaos;

import io.flannelvlan.tests.chaos.Fault.Strike;
import io.flannelvlan.tests.lab.Host;
import java.util.List;
import java.util.function.Function;

/** What happens to the address by which the others find a host. */
final class UnderlayFaults {
  private static final String WIRE = "198.51.100.";

  /** Between a host's two addresses. */
  private static final int AWAY = 50;

  private final List<Host> hosts;

  UnderlayFaults(List<Host> hosts) {
    this.hosts = hosts;
  }

  /** The host stays where it has moved to, until it is moved again. */
  List<Fault> all() {
    return List.of(
        fault("host's address changed", host -> Strike.of(host.name(), () -> move(host))),
        fault("the same, plugin down", this::whileDown),
        fault("host's address away", this::away));
  }

  private Fault fault(String name, Function<Host, Strike> strike) {
    return new Fault(
        name,
        Kind.UNDERLAY,
        Effect.PACKETS,
        draw -> {
          int number = draw.between(0, hosts.size() - 1);
          return strike.apply(hosts.get(number)).on(number);
        });
  }

  private Strike whileDown(Host host) {
    return Strike.of(
            host.name(),
            () -> {
              host.plugin().kill();
              move(host);
            },
            host.plugin()::start)
        .refusing();
  }

  private Strike away(Host host) {
    return Strike.of(
        host.name(),
        () -> host.in("ip", "address", "flush", "dev", "eth0").orThrow(),
        () -> host.move(host.address()));
  }

  private static void move(Host host) {
    int last = Integer.parseInt(host.address().substring(WIRE.length()));
    host.move(WIRE + (last > AWAY ? last - AWAY : last + AWAY));
  }
}
