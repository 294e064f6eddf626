package io.flannelvlan.tests.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/** A machine with a Docker engine and the plugin, as separate daemons that share its /run. */
public final class Host implements Station {
  private static final String ANYWHERE = "198.51.100.254";

  /** As docs/PLAIN.md has it for systemd: the file is made by the plugin, which may start later. */
  private static final String ON_VLAN =
      """
      file=$1; shift
      until [ -e "$file" ]; do sleep 0.1; done
      . "$file"
      exec "$@" --bip="$FLANNEL_SUBNET" --mtu="$FLANNEL_MTU"
      """;

  /** Where each session has a share of its own, nice counts within the session alone. */
  private static final String FIRST =
      "echo -15 >/proc/self/autogroup 2>/dev/null; exec nice -n -15 \"$@\"";

  private static final String JVM_OPTIONS = "FLANNELVLAN_JAVA_OPTS";

  private final Machine machine;
  private final Engine engine;
  private final Path dir;
  private final Map<String, String> settings = new TreeMap<>();
  private Optional<Path> program = Optional.empty();
  private boolean pluginFirst;
  private Optional<String> plainVlan = Optional.empty();
  private List<String> plainOptions = List.of();
  private int upgrades;
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
    // A lab's networks are made where the test says so, unless it is about just that.
    settings.put("NETWORKS", "none");
    settings.put("LOG_LEVEL", "debug");
    settings.put("JAVA_HOME", System.getProperty("java.home"));
    Project.daemonsCache().ifPresent(cache -> settings.put(JVM_OPTIONS, cached(cache)));
    this.root =
        new Daemon(
            name() + "'s engine root",
            log("engine"),
            () ->
                namespaces()
                    .command("unshare", "--mount", "--propagation", "private")
                    .with(Project.script("engine-init"), dir, engine.tree()),
            () -> Files.exists(namespaces().path("/run/engine-ready")));
    this.dockerd =
        new Daemon(
            name() + "'s dockerd",
            log("dockerd"),
            () -> dockerdCommand(dockerdOptions),
            () -> tryDocker("version").ok());
    this.plugin =
        new Daemon(
            name() + "'s plugin",
            log("plugin"),
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

  /** From its next start on the plugin is another copy of the program, as a new version is. */
  public void upgrade() {
    upgrades++;
    Command.of("cp", "-a", Project.dist().toString()).with(dist()).run().orThrow();
  }

  private Path dist() {
    return upgrades == 0 ? Project.dist() : dir.resolve("dist-" + upgrades);
  }

  /** From its next start on the plugin is that program, with a JVM that has these options. */
  public Host runs(Path other, String... jvmOptions) {
    program = Optional.of(other);
    return setting(JVM_OPTIONS, String.join(" ", jvmOptions));
  }

  /** The option with which a JVM starts from what another one left for it. */
  public static String cached(Path cache) {
    return "-XX:AOTCache=" + cache;
  }

  /**
   * From its next start on the plugin has the processors before all else of the machine: what its
   * handlers take is what they wait for then, and not what other tests do.
   */
  public Host pluginFirst() {
    pluginFirst = true;
    return this;
  }

  /**
   * From dockerd's next start on its own bridge is in this VLAN, by the file that the plugin keeps.
   */
  public Host plainDockerOn(String vlan, String... dockerdOptions) {
    plainVlan = Optional.of(vlan);
    plainOptions = List.of(dockerdOptions);
    return this;
  }

  /** What the plugin tells a plain dockerd about the VLAN. */
  public Path subnetFile(String vlan) {
    return namespaces().path("/run/flannel/networks/" + vlan + ".env");
  }

  /** The same for the daemon and for a managed plugin whose state is mounted from /srv. */
  public Path stateDir() {
    return srv().resolve("flannelvlan");
  }

  /** The same as this JVM reaches it, also where it is a disk of its own. */
  public Path stateFiles() {
    return machine.lab().path(stateDir().toString());
  }

  /** Where {@link Lab#stateDisks} gave this host one. */
  public StateDisk stateDisk() {
    return new StateDisk(this);
  }

  /** Empties the state directory; not under a plugin that runs. */
  public void loseState() {
    machine.lab().run("find", stateDir().toString(), "-mindepth", "1", "-delete").orThrow();
  }

  /** The plugin's RUN_DIR, which ends with the power; as this JVM reaches it. */
  public Path runDir() {
    return namespaces().path("/run/flannelvlan");
  }

  /** What is /srv to this host's dockerd, and survives the power's being cut. */
  public Path srv() {
    return dir.resolve("srv");
  }

  /** The plugin's socket, as this JVM reaches it. */
  public Path pluginSocket() {
    return namespaces().path("/run/docker/plugins/flannelvlan.sock");
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

  /** Runs a tool of the engine's distribution: of one version, wherever the lab is. */
  public Result withEnginesTools(String... tool) {
    return engineRoot().run(tool);
  }

  /** Puts a file where the engine's distribution has it, for everybody to read and to run. */
  void place(String file, String text) {
    try {
      Path path = engineRoot().path(file);
      Files.createDirectories(path.getParent());
      Files.writeString(path, text);
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Installs the Debian package in the engine's distribution, which has no Java. */
  public Result installPackage() {
    return tryInstallPackage().orThrow();
  }

  /** The same, where the distribution may be too old for the machine that made the package. */
  public Result tryInstallPackage() {
    Path file = srv().resolve("flannelvlan.deb");
    Command.of("cp", Project.debianPackage().toString(), file.toString()).run().orThrow();
    return engineRoot().run("dpkg", "--install", "/srv/flannelvlan.deb");
  }

  /** The daemon of the package, in place of {@link #plugin}. */
  public Daemon packaged() {
    Map<String, String> own = new TreeMap<>(settings);
    own.remove("JAVA_HOME");
    own.remove(JVM_OPTIONS);
    own.put("STATE_DIR", "/srv/flannelvlan");
    Object[] environment =
        own.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toArray();
    return new Daemon(
        name() + "'s packaged daemon",
        log("packaged"),
        () -> engineRoot().command("env").with(environment).with("/usr/bin/flannelvlan", "serve"),
        () -> answers(pluginSocket()));
  }

  /** {@code flannelvlan WORDS}, as people type it on this host. */
  public Result flannelvlan(String... words) {
    return namespaces()
        .command("env")
        .with("JAVA_HOME=" + System.getProperty("java.home"), Project.program())
        .with((Object[]) words)
        .run();
  }

  /** A network namespace as a CNI runtime makes one, before any plugin has worked on it. */
  public Pod pod(String name) {
    return new Pod(this, name);
  }

  public Container container(String name) {
    return new Container(this, name);
  }

  /** Joins the lab's second wire with eth1, until the power is cut; its address there. */
  public String plugIntoSecondWire() {
    String second = address().replaceFirst("198\\.51\\.100\\.", Lab.SECOND_WIRE);
    machine.plugInto("wire2", name() + "-2", "eth1", second);
    return second;
  }

  /** Is found at another address of the wire from now on, and at no other. */
  public void move(String to) {
    machine.move(to);
    addDefaultRoute(); // the one before went with the address
  }

  /** Cuts the power: every process of the host ends at once; its disk stays. */
  public void powerOff() {
    machine.powerOff();
  }

  /** Boots the host: network and Docker's root. The daemons are started by whoever wants them. */
  public void powerOn() {
    machine.powerOn();
    addDefaultRoute();
    root.start();
    engineRoot().command().writeAsScript(enter());
  }

  /** Nobody answers at this next hop. dockerd refuses to work without a default route. */
  private void addDefaultRoute() {
    in("ip", "route", "add", "default", "via", ANYWHERE).orThrow();
  }

  /** Cuts the power and boots again: the plugin and dockerd start at once, as an init has them. */
  public void reboot() {
    powerOff();
    powerOn();
    plugin.launch();
    dockerd.start();
  }

  String cgroupParent() {
    return Cgroups.parent(Objects.requireNonNull(dir.getParent()));
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

  /** Where its daemons write. */
  public Path log(String daemon) {
    return dir.resolve(daemon + ".log");
  }

  Namespaces engineRoot() {
    return Namespaces.host(root.pid());
  }

  private Command dockerdCommand(List<String> options) {
    return plainVlan
        .map(vlan ->
            engineRoot()
                .command("sh", "-c", ON_VLAN, "dockerd", "/run/flannel/networks/" + vlan + ".env"))
        .orElseGet(() -> engineRoot().command("env"))
        .with("dockerd", "--host", "unix:///run/docker.sock", "--pidfile", "/run/docker.pid")
        .with("--log-level", "warn")
        .with("--exec-opt", "native.cgroupdriver=cgroupfs")
        .with(options.toArray())
        .with(plainOptions.toArray());
  }

  private Command pluginCommand() {
    Object[] environment =
        settings.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toArray();
    return (pluginFirst
            ? namespaces().command("sh", "-c", FIRST, "sh", "env")
            : namespaces().command("env"))
        .with(environment)
        .with(program.orElseGet(() -> dist().resolve("bin/flannelvlan")), "serve");
  }

  private static boolean answers(Path socket) {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      return channel.isConnected();
    } catch (IOException notYet) {
      return false;
    }
  }
}
