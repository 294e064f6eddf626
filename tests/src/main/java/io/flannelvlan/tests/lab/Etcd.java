package io.flannelvlan.tests.lab;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The lab's etcd, alone on the wire at 198.51.100.1. */
public final class Etcd {
  public static final String ENDPOINT = "http://198.51.100.1:2379";

  private final Namespaces lab;
  private final Daemon daemon;

  Etcd(Namespaces lab, Path dir) {
    this.lab = lab;
    Path tree = Engine.DOCKER_20_10.tree();
    this.daemon =
        new Daemon(
            "etcd",
            dir.resolve("etcd.log"),
            () ->
                Command.of("unshare", "--mount", "--propagation", "private")
                    .with(Project.script("etcd"), dir.resolve("etcd"), tree)
                    .inside(lab.prefix()),
            () -> etcdctl("endpoint", "health").ok());
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

  /** Any other command of etcdctl. */
  public Result etcdctl(String... words) {
    return command().with((Object[]) words).run();
  }

  Command command() {
    return Command.of("chroot", Engine.DOCKER_20_10.tree().toString())
        .with("env", "ETCDCTL_API=3", "etcdctl", "--endpoints", ENDPOINT, "--command-timeout", "3s")
        .inside(lab.prefix());
  }
}
