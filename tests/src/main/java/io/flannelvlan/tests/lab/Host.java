package io.flannelvlan.tests.lab;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A machine with a Docker engine and the plugin, as separate daemons that share its /run. */
public final class Host implements Station {
  private static final String ANYWHERE = "198.51.100.254";

  private final Machine machine;
  private final Engine engine;
  private final Path dir;
  private final Map<String, String> settings = new TreeMap<>();
  private final Daemon root;
  private final Daemon dockerd;
  private final Daemon plugin;

  Host(Machine machine, Engine engine, Path dir, List<String> dockerdOptions) {
    this.machine = machine;
    this.engine = engine;
    this.dir = dir;
    settings.put("ETCD_ENDPOINTS", Etcd.ENDPOINT);
    settings.put("STATE_DIR", stateDir().toString());
    settings.put("IFACE", "eth0");
    settings.put("LOG_LEVEL", "debug");
    settings.put("JAVA_HOME", System.getProperty("java.home"));
    this.root =
        new Daemon(
            name() + "'s engine root",
            dir.resolve("engine.log"),
            () ->
                namespaces()
                    .command("unshare", "--mount", "--propagation", "private")
                    .with(Project.script("engine-init"), dir, engine.tree()),
            () -> Files.exists(namespaces().path("/run/engine-ready")));
    this.dockerd =
        new Daemon(
            name() + "'s dockerd",
            dir.resolve("dockerd.log"),
            () -> dockerdCommand(dockerdOptions),
            () -> tryDocker("version").ok());
    this.plugin =
        new Daemon(
            name() + "'s plugin",
            dir.resolve("plugin.log"),
            this::pluginCommand,
            () -> answers(pluginSocket()));
  }

  @Override
  public String name() {
    return machine.name();
  }

  @Override
  public String address() {
    return machine.address();
  }

  public Engine engine() {
    return engine;
  }

  public Daemon dockerd() {
    return dockerd;
  }

  public Daemon plugin() {
    return plugin;
  }

  /** A setting of the plugin, for its next start. */
  public Host setting(String name, String value) {
    settings.put(name, value);
    return this;
  }

  public Path stateDir() {
    return dir.resolve("state");
  }

  /** The plugin's socket, as this JVM reaches it. */
  public Path pluginSocket() {
    return namespaces().path("/run/docker/plugins/flannelvlan.sock");
  }

  /** Docker's API, as this JVM reaches it. */
  public Path dockerSocket() {
    return namespaces().path("/run/docker.sock");
  }

  /** A docker command that must succeed. */
  public Result docker(String... words) {
    return tryDocker(words).orThrow();
  }

  /** A docker command that may be refused. */
  public Result tryDocker(String... words) {
    return dockerCommand(words).run();
  }

  /** Starts the lab's image in a network; it serves HTTP until it is stopped. */
  public Container run(String name, String network, String... options) {
    dockerCommand("run", "--detach", "--name", name, "--hostname", name, "--network", network)
        .with((Object[]) options)
        .with(Lab.IMAGE)
        .run()
        .orThrow();
    return container(name);
  }

  /**
   * Does something to this host's kernel, as a shell command, and waits until its VLAN is there
   * again as it was; the output is how many milliseconds that took. tests/lab/damage tells what is
   * compared, and which words the command may use.
   */
  public Result damage(int vni, String command) {
    return in(Project.script("damage").toString(), Integer.toString(vni), command);
  }

  public Container container(String name) {
    return new Container(this, name);
  }

  /** Cuts the power: every process of the host ends at once; its disk stays. */
  public void powerOff() {
    machine.powerOff();
  }

  /** Boots the host: network and Docker's root. The daemons are started by whoever wants them. */
  public void powerOn() {
    machine.powerOn();
    // Nobody answers at this next hop. dockerd refuses to work without a default route.
    in("ip", "route", "add", "default", "via", ANYWHERE).orThrow();
    root.start();
    engineRoot().command().writeAsScript(enter());
  }

  /** Cuts the power and boots again: the plugin and dockerd start at once, as an init has them. */
  public void reboot() {
    powerOff();
    powerOn();
    plugin.launch();
    dockerd.start();
  }

  Namespaces namespaces() {
    return machine.namespaces();
  }

  Command dockerCommand(String... words) {
    return engineRoot().command("docker").with((Object[]) words);
  }

  /** A script for people: runs its arguments on this host. */
  public Path enter() {
    return dir.resolve("enter");
  }

  private Namespaces engineRoot() {
    return Namespaces.host(root.pid());
  }

  private Command dockerdCommand(List<String> options) {
    return engineRoot()
        .command("dockerd", "--host", "unix:///run/docker.sock", "--pidfile", "/run/docker.pid")
        .with("--log-level", "warn")
        .with("--exec-opt", "native.cgroupdriver=cgroupfs")
        .with(options.toArray());
  }

  private Command pluginCommand() {
    Object[] environment =
        settings.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toArray();
    return namespaces().command("env").with(environment).with(Project.program(), "serve");
  }

  private static boolean answers(Path socket) {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      return channel.isConnected();
    } catch (IOException notYet) {
      return false;
    }
  }
}
