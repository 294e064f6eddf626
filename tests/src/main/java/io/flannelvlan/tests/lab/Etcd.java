package io.flannelvlan.tests.lab;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** An etcd on the wire: the lab's own at 198.51.100.1, or a member of an {@link EtcdCluster}. */
public final class Etcd implements EtcdStore {
  private static final String ADDRESS = "198.51.100.1";

  /** The lab's own. */
  public static final String ENDPOINT = endpoint(ADDRESS);

  private static final Object[] NONE = {};

  /** Without the first, etcdctl 3.4 verifies what it is told not to. */
  private static final Object[] TRUSTING = {
    "--insecure-transport=false", "--insecure-skip-tls-verify"
  };

  private final Namespaces lab;
  private final Daemon daemon;
  private final Path dir;
  private final String endpoint;
  private final String cluster;

  /** The lab's own. */
  static Etcd alone(Namespaces lab, Path dir) {
    String cluster = "etcd=http://" + ADDRESS + ":2380";
    return new Etcd(lab, dir.resolve("etcd"), ENDPOINT, cluster, List.of());
  }

  /** A member of those that such a text names, each with the URL where the others find it. */
  static Etcd member(Namespaces lab, Path dir, String address, String cluster) {
    return new Etcd(lab, dir, endpoint(address), cluster, List.of());
  }

  /** The same over TLS, with a certificate and a key in this directory. */
  static Etcd member(Namespaces lab, Path dir, String address, String cluster, Path tls) {
    String endpoint = endpoint(address).replace("http:", "https:");
    return new Etcd(lab, dir, endpoint, cluster, List.of(tls));
  }

  private Etcd(Namespaces lab, Path dir, String endpoint, String cluster, List<Path> tls) {
    this.lab = lab;
    this.dir = dir;
    this.endpoint = endpoint;
    this.cluster = cluster;
    String name = dir.getFileName().toString();
    Path tree = Engine.DOCKER_20_10.tree();
    this.daemon =
        new Daemon(
            name,
            dir.resolveSibling(name + ".log"),
            () ->
                Command.of("unshare", "--mount", "--propagation", "private")
                    .with(Project.script("etcd"), dir, tree, name, endpoint, cluster)
                    .with(tls.toArray())
                    .inside(lab.prefix()),
            this::isHealthy);
  }

  private static String endpoint(String address) {
    return "http://" + address + ":2379";
  }

  /** Where clients find it. */
  public String endpoint() {
    return endpoint;
  }

  public Daemon daemon() {
    return daemon;
  }

  @Override
  public List<Etcd> members() {
    return List.of(this);
  }

  boolean isHealthy() {
    return etcdctl("endpoint", "health").ok();
  }

  /** Its data is gone when it starts again; snapshots stay. */
  void forget() {
    Command.of("rm", "-rf", dir.resolve("member").toString()).run().orThrow();
  }

  void takeSnapshotOf(Etcd member, String name) {
    if (member != this) {
      String file = name + ".db";
      Command.of("cp", member.dir.resolve(file).toString()).with(dir.resolve(file)).run().orThrow();
    }
  }

  /** As {@link #save} and {@link #restore} have it, of this member's data. */
  void snapshot(String verb, String name) {
    Command.of("unshare", "--mount", "--propagation", "private")
        .with(Project.script("etcd-snapshot"), verb, dir, Engine.DOCKER_20_10.tree(), name)
        .with(endpoint, cluster)
        .inside(lab.prefix())
        .run()
        .orThrow();
  }

  @Override
  public Result etcdctl(String... words) {
    return command().with((Object[]) words).run();
  }

  /** etcdctl at a station of the lab, for an etcd that is not the lab's. */
  public static Result etcdctlAt(Station station, String... words) {
    List<String> command =
        new ArrayList<>(
            List.of("env", "ETCDCTL_API=3", Engine.DOCKER_20_10.tree() + "/usr/bin/etcdctl"));
    command.addAll(List.of("--command-timeout", "3s"));
    command.addAll(List.of(words));
    return station.in(command.toArray(String[]::new));
  }

  Command command() {
    return Command.of("chroot", Engine.DOCKER_20_10.tree().toString())
        .with("env", "ETCDCTL_API=3", "etcdctl", "--endpoints", endpoint, "--command-timeout", "3s")
        .with(endpoint.startsWith("https:") ? TRUSTING : NONE)
        .inside(lab.prefix());
  }
}
