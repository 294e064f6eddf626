package io.flannelvlan.tests.lab;

import java.nio.file.Files;

/**
 * firewalld, and the bus that it is asked by, on a host with Docker 28, whose root has them.
 *
 * <p>Like that root, what is asked of it for good is gone when the host loses its power.
 */
public final class Firewalld {
  private final Host host;
  private final Daemon bus;
  private final Daemon daemon;

  public Firewalld(Host host) {
    this.host = host;
    this.bus =
        new Daemon(
            host.name() + "'s D-Bus",
            host.log("dbus"),
            () ->
                host.engineRoot()
                    .command(
                        "sh",
                        "-c",
                        "mkdir -p /run/dbus && exec dbus-daemon --system --nofork --nopidfile"),
            () -> Files.exists(host.namespaces().path("/run/dbus/system_bus_socket")));
    this.daemon =
        new Daemon(
            host.name() + "'s firewalld",
            host.log("firewalld"),
            () ->
                host.engineRoot()
                    .command("firewalld", "--nofork", "--nopid", "--log-target", "console"),
            () -> command("--state").run().ok());
  }

  /** Starts it, and its bus before the first time. */
  public void start() {
    if (!bus.alive()) {
      bus.start();
    }
    daemon.start();
  }

  public boolean alive() {
    return daemon.alive();
  }

  /** What a host with VLANs needs, by the commands of the README; until then it rejects that. */
  public void openAsReadmeHasIt() {
    ask("--permanent", "--add-port=8472/udp");
    ask("--permanent", "--add-port=23790/tcp");
    ask("--permanent", "--zone=trusted", "--add-interface=fvbr+", "--add-interface=flannel+");
    ask("--reload");
  }

  /** It takes its rules away. */
  public void stop() {
    daemon.stop();
  }

  /** {@code firewall-cmd}, which must succeed. */
  public Result ask(String... words) {
    return command(words).run().orThrow();
  }

  private Command command(String... words) {
    return host.engineRoot().command("firewall-cmd").with((Object[]) words);
  }
}
