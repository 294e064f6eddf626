package io.flannelvlan.tests.lab;

import java.nio.file.Path;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Three etcd servers at 198.51.100.2, .3 and .4 that hold one store: it lives while two do. */
public final class EtcdCluster implements EtcdStore {
  private static final int MEMBERS = 3;

  private final Namespaces lab;
  private final List<Etcd> members;

  private EtcdCluster(Namespaces lab, IntFunction<Etcd> member) {
    this.lab = lab;
    this.members = numbers().mapToObj(member).toList();
  }

  static EtcdCluster plain(Namespaces lab, Path dir) {
    return new EtcdCluster(
        lab, number -> Etcd.member(lab, dir.resolve(name(number)), address(number), all()));
  }

  /** Clients speak TLS to it, and are asked for no certificate. */
  static EtcdCluster overTls(Namespaces lab, Path dir) {
    String names = numbers().mapToObj(EtcdCluster::address).collect(Collectors.joining(",IP:"));
    Command.of("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt")
        .with("ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=members")
        .with("-addext", "subjectAltName=IP:" + names)
        .with("-out", certificate(dir), "-keyout", dir.resolve("members-key.pem"))
        .run()
        .orThrow();
    return new EtcdCluster(
        lab, number -> Etcd.member(lab, dir.resolve(name(number)), address(number), all(), dir));
  }

  /** All members' over TLS; it is its own authority. */
  static Path certificate(Path dir) {
    return dir.resolve("members-cert.pem");
  }

  private static IntStream numbers() {
    return IntStream.rangeClosed(1, MEMBERS);
  }

  private static String all() {
    return numbers()
        .mapToObj(number -> name(number) + "=http://" + address(number) + ":2380")
        .collect(Collectors.joining(","));
  }

  /** Its members are found on the wire from now on. */
  void layAddresses() {
    numbers()
        .forEach(number ->
            lab.run("ip", "address", "add", address(number) + "/24", "dev", "wire").orThrow());
  }

  @Override
  public List<Etcd> members() {
    return members;
  }

  @Override
  public Result etcdctl(String... words) {
    return members.stream()
        .filter(member -> member.daemon().alive())
        .findFirst()
        .orElse(members.getFirst())
        .etcdctl(words);
  }

  /** Those that were stopped, killed or frozen are as ever again. */
  public void revive(List<Etcd> lost) {
    for (Etcd member : lost) {
      if (member.daemon().alive()) {
        member.daemon().thaw();
      } else {
        member.daemon().launch();
      }
    }
    Await.until(PATIENCE, () -> "not all revive", () -> lost.stream().allMatch(Etcd::isHealthy));
  }

  /** The one that decides now. */
  public Etcd leader() {
    return members.stream()
        .filter(member -> member.daemon().alive() && isLeader(member))
        .findFirst()
        .orElseThrow(() -> new LabException("the cluster has no leader"));
  }

  private static boolean isLeader(Etcd member) {
    // ENDPOINT, ID, VERSION, DB SIZE, IS LEADER, …
    Result status = member.etcdctl("endpoint", "status");
    return status.ok() && status.text().split(", ", -1)[4].equals("true");
  }

  private static String name(int number) {
    return "member" + number;
  }

  private static String address(int number) {
    return "198.51.100." + (1 + number);
  }
}
