package io.flannelvlan.tests.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A wire with etcd, hosts and somebody outside, made for one purpose and gone after it.
 *
 * <pre>
 *   try (Lab lab = Lab.start()) {
 *     Host host = lab.host(Engine.DOCKER_28);
 *     host.plugin().start();
 *     host.docker("network", "create", "-d", "flannelvlan", …);
 *     Container web = host.run("web", "vlan001");
 *     web.pings(host.address());
 *   }
 * </pre>
 */
public final class Lab implements AutoCloseable {
  /** The one image that every host has; tests/lab/image tells what it serves. */
  public static final String IMAGE = "bb";

  /** How the addresses on the second wire begin; they end as those on the first. */
  static final String SECOND_WIRE = "203.0.113.";

  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final AtomicInteger LABS = new AtomicInteger();
  private static volatile Optional<Lab> latest = Optional.empty();

  private final Path dir;
  private final Remains remains;
  private final Process init;
  private final Namespaces namespaces;
  private final Etcd etcd;
  private final Machine outside;
  private final AtomicInteger hostCount = new AtomicInteger();
  private final List<Host> hosts = new CopyOnWriteArrayList<>();
  private final List<Daemon> members = new CopyOnWriteArrayList<>();
  private Optional<String> stateDisk = Optional.empty();
  private boolean over;
  private String lastWords = "";

  private Lab(Path dir) {
    this.dir = dir;
    this.remains = new Remains(dir);
    this.init =
        Command.of("unshare", "--mount", "--propagation", "private", "--net", "--pid", "--fork")
            .with("--kill-child", Project.script("lab-init"), dir)
            .spawnListening(dir.resolve("lab.log"));
    Await.until(
        PATIENCE,
        () -> "the lab does not start (is this root?), see " + dir.resolve("lab.log"),
        () -> remains.firstProcess().isPresent());
    this.namespaces = Namespaces.lab(remains.firstProcess().getAsLong());
    this.etcd = Etcd.alone(namespaces, dir);
    this.outside = new Machine(namespaces, dir.resolve("outside"), "198.51.100.200");
  }

  /** A wire with a running etcd and a machine outside; no host yet. */
  public static Lab start() {
    Remains.sweep();
    String name = "lab-" + ProcessHandle.current().pid() + "-" + LABS.incrementAndGet();
    Path dir = Project.cache().resolve(name);
    try {
      Files.createDirectories(dir);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Lab lab = new Lab(dir);
    Runtime.getRuntime().addShutdownHook(new Thread(lab::close, "lab-take-down"));
    latest = Optional.of(lab);
    try {
      lab.etcd.command().writeAsScript(dir.resolve("etcdctl"));
      lab.outside.powerOn();
      Command.of(Project.script("image").toString(), Engine.busybox().toString())
          .with(lab.dir.resolve("image"))
          .run()
          .orThrow();
      lab.outside.serve(lab.dir.resolve("image/www"));
      lab.etcd.daemon().start();
      return lab;
    } catch (RuntimeException e) {
      lab.close();
      throw e;
    }
  }

  /** Ends every lab that {@link #keep} left behind; how many there were. */
  public static int endKept() {
    List<Remains> kept = Remains.kept();
    kept.forEach(Remains::end);
    return kept.size();
  }

  /** The next host (h1 at 198.51.100.11, …), its dockerd running; the plugin is not started yet. */
  public Host host(Engine engine, String... dockerdOptions) {
    return boot(hostCount.incrementAndGet(), engine, List.of(dockerdOptions));
  }

  /** Several hosts, booted at the same time, in this order. */
  public List<Host> hosts(Engine... engines) {
    List<CompletableFuture<Host>> booting =
        Arrays.stream(engines)
            .map(engine -> {
              int number = hostCount.incrementAndGet();
              return CompletableFuture.supplyAsync(
                  () -> boot(number, engine, List.of()), Thread::startVirtualThread);
            })
            .toList();
    return booting.stream().map(CompletableFuture::join).toList();
  }

  /** Several hosts on which nobody starts dockerd. */
  public List<Host> hostsWithoutDocker(int count) {
    return IntStream.range(0, count)
        .mapToObj(_ -> machine(hostCount.incrementAndGet(), Engine.DOCKER_28, List.of()))
        .toList();
  }

  /** All hosts of this lab, in order. */
  public List<Host> hosts() {
    return hosts.stream().sorted(Comparator.comparing(Host::name)).toList();
  }

  /** From now on each host that comes has a {@link StateDisk}, of a size such as "64k". */
  public void stateDisks(String size) {
    stateDisk = Optional.of(size);
  }

  /** Lays a second wire, which nobody is on yet: {@link Host#plugIntoSecondWire}. */
  public void secondWire() {
    Namespaces network = Namespaces.network(namespaces.pid());
    network.run("ip", "link", "add", "wire2", "type", "bridge").orThrow();
    network.run("ip", "link", "set", "wire2", "up").orThrow();
  }

  public Etcd etcd() {
    return etcd;
  }

  /** Three more, which are one: for hosts whose setting ETCD_ENDPOINTS says so. */
  public EtcdCluster etcdCluster() {
    return started(EtcdCluster.plain(namespaces, dir));
  }

  /** The same over TLS. */
  public EtcdCluster etcdClusterOverTls() {
    return started(EtcdCluster.overTls(namespaces, dir));
  }

  /** What hosts know that cluster by: for their setting ETCD_CACERT. */
  public Path etcdClustersCertificate() {
    return EtcdCluster.certificate(dir);
  }

  private EtcdCluster started(EtcdCluster cluster) {
    cluster.members().forEach(member -> members.add(member.daemon()));
    cluster.layAddresses();
    cluster.start();
    return cluster;
  }

  /** A registry; hosts are told of it by {@link Registry#DOCKERD_OPTION}. */
  public Registry registry() {
    Registry registry = new Registry(namespaces, dir);
    members.add(registry.daemon());
    registry.daemon().start();
    return registry;
  }

  /**
   * A machine on the wire that has no route to any VLAN. It serves what the lab's containers do.
   */
  public Machine outside() {
    return outside;
  }

  /** The daemon as users start it. */
  public static Path program() {
    return Project.program();
  }

  /** Where logs and disks of the hosts lie. */
  public Path dir() {
    return dir;
  }

  /** The lab started last, for whoever reports a failure. */
  public static Optional<Lab> latest() {
    return latest;
  }

  /** The end of every daemon's log; of a lab that is over, as it was then. */
  public synchronized String logs() {
    return over ? lastWords : collectLogs();
  }

  /** Copies every log of the lab, and each host's journal, to where they outlive it. */
  public void copyLogs(Path to) {
    String script =
        "shopt -s nullglob; cd \"$0\" && cp --parents -t \"$1\""
            + " *.log h*/*.log h*/srv/flannelvlan/journal*";
    Command.of("mkdir", "-p", to.toString()).run().orThrow();
    // As the lab sees them, whose hosts may have disks of their own.
    namespaces.command("bash", "-c", script).with(dir, to).run().orThrow();
  }

  private String collectLogs() {
    return daemons().map(Daemon::tail).collect(Collectors.joining());
  }

  private Stream<Daemon> daemons() {
    return Stream.concat(
        Stream.concat(Stream.of(etcd.daemon()), members.stream()),
        hosts().stream().flatMap(host -> Stream.of(host.dockerd(), host.plugin())));
  }

  /** Leaves the lab running after this program, until {@link #endKept}. */
  public synchronized void keep() {
    try {
      init.getOutputStream().write("keep\n".getBytes(StandardCharsets.UTF_8));
      init.getOutputStream().flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Await.until(PATIENCE, () -> "the lab cannot be kept", () -> Files.exists(dir.resolve("kept")));
    over = true;
  }

  /** Ends everything; also called when the program is interrupted. */
  @Override
  public synchronized void close() {
    if (over) {
      return;
    }
    lastWords = collectLogs();
    over = true;
    // The stopped nsenter of a frozen daemon would never take note of its end, nor let the lab's
    // first process end.
    daemons().filter(Daemon::alive).forEach(Daemon::thaw);
    remains.end();
  }

  private Host boot(int number, Engine engine, List<String> dockerdOptions) {
    Host host = machine(number, engine, dockerdOptions);
    host.dockerd().start();
    host.dockerCommand("import", "--change", "CMD [\"/bin/serve\"]", "-", IMAGE)
        .from(dir.resolve("image.tar"))
        .run()
        .orThrow();
    return host;
  }

  private Host machine(int number, Engine engine, List<String> dockerdOptions) {
    Path place = dir.resolve("h" + number);
    Machine machine = new Machine(namespaces, place, "198.51.100." + (10 + number));
    List<String> options = new ArrayList<>(List.of("--cgroup-parent", Cgroups.parent(dir)));
    options.addAll(dockerdOptions);
    Host host = new Host(machine, engine, place, options);
    hosts.add(host);
    stateDisk.ifPresent(size -> StateDisk.mount(namespaces, host.stateDir(), size));
    host.powerOn();
    return host;
  }
}
