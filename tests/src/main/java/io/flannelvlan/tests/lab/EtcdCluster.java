package io.flannelvlan.tests.lab;

import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Three etcd servers at 198.51.100.2, .3 and .4 that hold one store: it lives while two do. */
public final class EtcdCluster {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int MEMBERS = 3;

  private final Namespaces lab;
  private final List<Etcd> members;

  EtcdCluster(Namespaces lab, java.nio.file.Path dir) {
    this.lab = lab;
    String cluster =
        IntStream.rangeClosed(1, MEMBERS)
            .mapToObj(number -> name(number) + "=http://" + address(number) + ":2380")
            .collect(Collectors.joining(","));
    this.members =
        IntStream.rangeClosed(1, MEMBERS)
            .mapToObj(number -> new Etcd(lab, dir, name(number), address(number), cluster))
            .toList();
  }

  void start() {
    for (int number = 1; number <= MEMBERS; number++) {
      lab.run("ip", "address", "add", address(number) + "/24", "dev", "wire").orThrow();
    }
    // None is ready before another one is there.
    members.forEach(member -> member.daemon().launch());
    Await.until(PATIENCE, () -> "no leader", () -> members.stream().allMatch(this::isHealthy));
  }

  public List<Etcd> members() {
    return members;
  }

  /** For the setting ETCD_ENDPOINTS. */
  public String endpoints() {
    return members.stream().map(Etcd::endpoint).collect(Collectors.joining(","));
  }

  /** The one that decides now. */
  public Etcd leader() {
    return members.stream()
        .filter(member -> member.daemon().alive() && isLeader(member))
        .findFirst()
        .orElseThrow(() -> new LabException("the cluster has no leader"));
  }

  private boolean isHealthy(Etcd member) {
    return member.etcdctl("endpoint", "health").ok();
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
