package io.flannelvlan.tests.chaos;

import io.flannelvlan.tests.lab.Host;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What stood in etcd and on each host when something was not as it should be. */
record Evidence(Scene scene) {
  private static final String KERNEL =
      "ip -d link; ip -4 address; ip -4 route show table all; ip neigh; bridge fdb;"
          + " nft list ruleset; iptables-save";

  void write(Path dir) {
    try {
      String keys = scene.etcd().etcdctl("get", "--prefix", "/").toString();
      Files.writeString(dir.resolve("etcd.txt"), keys);
      for (Host host : scene.hosts()) {
        Path file = dir.resolve(host.name() + ".txt");
        Files.writeString(
            file,
            host.in("bash", "-c", KERNEL)
                + "\n"
                + host.tryDocker("ps", "--all", "--no-trunc")
                + "\n"
                + docker(host, "network ls -q --filter driver=flannelvlan", "network inspect")
                + docker(host, "ps --all --quiet", "inspect"));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String docker(Host host, String list, String inspect) {
    String ids = host.tryDocker(list.split(" ", -1)).text().replace('\n', ' ');
    return ids.isBlank() ? "" : host.tryDocker((inspect + " " + ids).split(" ", -1)).toString();
  }
}
