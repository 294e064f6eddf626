package io.flannelvlan.tests.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The plugin as {@code docker plugin install} has it, on one host. */
public final class ManagedPlugin {
  /**
   * What it is called on the host, whatever it is called in the registry. Not the plain driver
   * name: dockerd would find the managed plugin by it, and then no driver.
   */
  private static final String NAME = "flannelvlan/flannelvlan";

  private static final String JAVA = "/usr/lib/flannelvlan/runtime/bin/java";

  /** USER_HZ, the same on every Linux of a common architecture. */
  private static final int TICKS = 100;

  private static final String BUILD = "etc/flannelvlan-build";

  private final Host host;

  public ManagedPlugin(Host host) {
    this.host = host;
  }

  public Host host() {
    return host;
  }

  /**
   * Pushes what ./dev plugin made under this reference, and keeps nothing of it on the host.
   *
   * @param mark that its root has in a file, so that each version is a build of its own
   */
  public void publish(String reference, String mark) {
    create(reference, mark);
    host.docker("plugin", "push", reference);
    host.docker("plugin", "rm", reference);
  }

  /** Makes it on this host itself, under its own name; disabled, its state in the host's /srv. */
  public void create() {
    create(NAME, "as made");
    set("state.source=/srv");
  }

  /** The same of what {@code docker build} makes of the Dockerfile on this host, offline. */
  public void createByDockerBuild() {
    Path made = host.srv().resolve("made");
    Command.of(Project.script("docker-build").toString())
        .with(host.enter(), host.engine().tree(), System.getProperty("java.home"))
        .with(made.resolve("rootfs"))
        .within(Duration.ofMinutes(10))
        .run()
        .orThrow();
    Command.of("cp", Project.pluginConfig().toString())
        .with(made.resolve("config.json"))
        .run()
        .orThrow();
    host.docker("plugin", "create", NAME, "/srv/made");
    Command.of("rm", "-r", made.toString()).run().orThrow();
    set("state.source=/srv");
  }

  private void create(String reference, String mark) {
    Path made = host.srv().resolve("made");
    Command.of("cp", "-a", Project.plugin().toString(), made.toString()).run().orThrow();
    try {
      Files.writeString(made.resolve("rootfs").resolve(BUILD), mark);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    host.docker("plugin", "create", reference, "/srv/made");
    Command.of("rm", "-r", made.toString()).run().orThrow();
  }

  /** While it is disabled: another version, with the settings as they are. */
  public void upgrade(String reference) {
    host.docker(
        "plugin", "upgrade", "--grant-all-permissions", "--skip-remote-check", NAME, reference);
    // Docker keeps a mount's source in the plugin's own configuration, which is a new one now.
    set("state.source=/srv");
  }

  /** {@code docker plugin install}, its state in the host's /srv. */
  public Result tryInstall(String reference, String... settings) {
    List<String> words =
        new ArrayList<>(List.of("plugin", "install", "--grant-all-permissions", "--alias", NAME));
    words.addAll(List.of(reference, "state.source=/srv"));
    words.addAll(List.of(settings));
    return host.tryDocker(words.toArray(String[]::new));
  }

  /** {@code docker plugin VERB [OPTION…] flannelvlan}, which must succeed. */
  public Result docker(String verb, String... options) {
    return tryDocker(verb, options).orThrow();
  }

  public Result tryDocker(String verb, String... options) {
    List<String> words = new ArrayList<>(List.of("plugin", verb));
    words.addAll(List.of(options));
    words.add(NAME);
    return host.tryDocker(words.toArray(String[]::new));
  }

  /** While it is disabled: {@code docker plugin set}. */
  public void set(String setting) {
    host.docker("plugin", "set", NAME, setting);
  }

  public boolean isEnabled() {
    return docker("inspect", "--format", "{{.Enabled}}").text().equals("true");
  }

  /** What a registry keeps of it, and a host loads. */
  public static long compressedBytes() {
    String script = "tar -c -C \"$0\" rootfs | gzip -6 | wc -c";
    Result size = Command.of("bash", "-c", script).with(Project.plugin()).run().orThrow();
    return Long.parseLong(size.text());
  }

  /** Its JVM, of whichever host: there is one such plugin at a time where this is asked. */
  private static Optional<ProcessHandle> process() {
    return processes().findFirst();
  }

  private static Stream<ProcessHandle> processes() {
    return ProcessHandle.allProcesses()
        .filter(process -> process.info().command().filter(JAVA::equals).isPresent());
  }

  /** How long it has run, to 10 ms. */
  public static Duration uptime() {
    return sinceBoot().minus(began());
  }

  /** When it began, to 10 ms, by the kernel's clock, which knows no date. */
  public static Duration began() {
    try {
      String stat = Files.readString(Path.of("/proc", pid(), "stat"));
      // proc(5): the 22nd field, in ticks since the boot; the second is a name in parentheses.
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      return Duration.ofMillis(Long.parseLong(fields[19]) * 1000 / TICKS);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The moment, to 10 ms, by that clock. */
  public static Duration sinceBoot() {
    try {
      String now = Files.readString(Path.of("/proc/uptime")).split(" ", -1)[0];
      return Duration.ofMillis((long) (Double.parseDouble(now) * 1000));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String pid() {
    return Long.toString(process().orElseThrow().pid());
  }

  /** Whether its JVM uses the AOT cache: one that it can't use is passed over in silence. */
  public boolean hasAotCache() {
    return ofProcess("maps").contains("/flannelvlan.aot");
  }

  /** The mark of the build whose process runs. */
  public String build() {
    return ofProcess("root/" + BUILD);
  }

  private String ofProcess(String file) {
    long pid = processes().filter(process -> isOn(process, host)).findFirst().orElseThrow().pid();
    try {
      return Files.readString(Path.of("/proc", Long.toString(pid), file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isOn(ProcessHandle process, Host host) {
    return network(process.pid()).equals(network(host.dockerd().pid()));
  }

  private static Path network(long pid) {
    try {
      return Files.readSymbolicLink(Path.of("/proc", Long.toString(pid), "ns/net"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Resident memory of its JVM in KiB. */
  public static long residentKib() {
    return Daemon.residentKib(process().orElseThrow().pid());
  }

  /** The same of the one that carries an etcd, and that etcd's. */
  public static long residentKibWithEtcd() {
    return processes()
        .filter(process -> process.children().findAny().isPresent())
        .mapToLong(process ->
            Daemon.residentKib(process.pid())
                + process.children().mapToLong(etcd -> Daemon.residentKib(etcd.pid())).sum())
        .max()
        .orElseThrow();
  }
}
