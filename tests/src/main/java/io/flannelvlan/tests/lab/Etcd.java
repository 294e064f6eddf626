package io.flannelvlan.tests.lab;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** An etcd on the wire: the lab's own at 198.51.100.1, or a member of an {@link EtcdCluster}. */
public final class Etcd {
  private static final String ADDRESS = "198.51.100.1";

  /** The lab's own. */
  public static final String ENDPOINT = endpoint(ADDRESS);

  private final Namespaces lab;
  private final Daemon daemon;
  private final Path dir;
  private final String endpoint;

  /** The lab's own. */
  static Etcd alone(Namespaces lab, Path dir) {
    return new Etcd(lab, dir, "etcd", ADDRESS, "etcd=http://" + ADDRESS + ":2380");
  }

  /**
   * A member.
   *
   * @param cluster every member's name and where the others find it, as etcd is told
   */
  Etcd(Namespaces lab, Path place, String name, String address, String cluster) {
    this.lab = lab;
    this.dir = place.resolve(name);
    this.endpoint = endpoint(address);
    Path tree = Engine.DOCKER_20_10.tree();
    this.daemon =
        new Daemon(
            name,
            place.resolve(name + ".log"),
            () ->
                Command.of("unshare", "--mount", "--propagation", "private")
                    .with(Project.script("etcd"), dir, tree, name, address, cluster)
                    .inside(lab.prefix()),
            () -> etcdctl("endpoint", "health").ok());
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

  public void put(String key, String value) {
    etcdctl("put", "--", key, value).orThrow();
  }

  public Optional<String> get(String key) {
    String value = etcdctl("get", "--print-value-only", "--", key).orThrow().text();
    return value.isEmpty() ? Optional.empty() : Optional.of(value);
  }

  public List<String> keys(String prefix) {
    Result result = etcdctl("get", "--prefix", "--keys-only", "--", prefix).orThrow();
    return result.out().lines().filter(line -> !line.isBlank()).toList();
  }

  public void delete(String key) {
    etcdctl("del", "--", key).orThrow();
  }

  /** Keeps what it holds now in a file of that name, for {@link #restore}. */
  public void save(String name) {
    snapshot("save", name);
  }

  /** Restarts it with what it held at {@link #save}: its revisions begin again from there. */
  public void restore(String name) {
    daemon.stop();
    snapshot("restore", name);
    daemon.start();
  }

  /** Restarts it with nothing. */
  public void wipe() {
    daemon.stop();
    Command.of("rm", "-rf", dir.resolve("member").toString()).run().orThrow();
    daemon.start();
  }

  private void snapshot(String verb, String name) {
    Command.of("unshare", "--mount", "--propagation", "private")
        .with(Project.script("etcd-snapshot"), verb, dir, Engine.DOCKER_20_10.tree(), name)
        .inside(lab.prefix())
        .run()
        .orThrow();
  }

  /** Any other command of etcdctl. */
  public Result etcdctl(String... words) {
    return command().with((Object[]) words).run();
  }

  Command command() {
    return Command.of("chroot", Engine.DOCKER_20_10.tree().toString())
        .with("env", "ETCDCTL_API=3", "etcdctl", "--endpoints", endpoint, "--command-timeout", "3s")
        .inside(lab.prefix());
  }
}
