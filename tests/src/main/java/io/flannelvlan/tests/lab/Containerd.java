package io.flannelvlan.tests.lab;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A containerd of its own on a host whose engine's distribution has one, for pods and for {@code
 * ctr}; it reads /etc/cni/net.d, like everybody.
 */
public final class Containerd {

  /** The lab's image, as containerd names it. */
  public static final String IMAGE = "docker.io/library/" + Lab.IMAGE + ":latest";

  private static final String SOCKET = "/run/cri/containerd.sock";

  /** Of pods; {@code ctr} sees those of one namespace at a time. */
  private static final String NAMESPACE = "k8s.io";

  /** Behind what the example says: nothing here may lower OOM scores, and no image is pulled. */
  private static final String CONFIG =
      """
      [grpc]
        address = "%s"
      [plugins."io.containerd.grpc.v1.cri"]
        sandbox_image = "%s"
        restrict_oom_score_adj = true
      """
          .formatted(SOCKET, IMAGE);

  private final Host host;
  private final Daemon daemon;

  /** Not yet started. */
  public Containerd(Host host) {
    this.host = host;
    this.daemon =
        new Daemon(
            host.name() + "'s containerd",
            host.log("containerd"),
            () ->
                host.engineRoot()
                    .command("containerd", "--config", "/etc/containerd/config.toml")
                    .with("--root", "/srv/containerd", "--state", "/run/cri"),
            () -> ctr("version").ok());
  }

  /** Gives it a network: the first of them by name is that of all its pods. */
  public void configure(String file, String text) {
    host.place("/etc/cni/net.d/" + file, text);
  }

  /** Starts it with the lab's image. */
  public void start() {
    host.place("/etc/containerd/config.toml", Examples.text("containerd/config.toml") + CONFIG);
    // Where Debian has them, and where everybody else looks.
    host.engineRoot().run("sh", "-c", "ln -sf /usr/lib/cni/* /opt/cni/bin/").orThrow();
    daemon.start();
    host.docker("save", "--output", "/srv/image.tar", Lab.IMAGE);
    ctr("images", "import", "/srv/image.tar").orThrow();
  }

  public void restart() {
    daemon.restart();
  }

  /** {@code ctr run --cni}, which reads /etc/cni/net.d and /opt/cni/bin whatever the settings. */
  public void runByCtr(String name) {
    ctr("run", "--detach", "--cni", "--cgroup", cgroupParent() + "/" + name, IMAGE, name).orThrow();
  }

  /** The same of a command, to whose end it waits; what it said. */
  public String sayByCtr(String name, String... words) {
    List<String> all = new ArrayList<>(List.of("run", "--rm", "--cni"));
    all.addAll(List.of("--cgroup", cgroupParent() + "/" + name, IMAGE, name));
    all.addAll(List.of(words));
    return ctr(all.toArray(String[]::new)).orThrow().out();
  }

  public void killByCtr(String name) {
    ctr("tasks", "delete", "--force", name).orThrow();
    ctr("containers", "delete", name).orThrow();
  }

  public void stop() {
    daemon.stop();
  }

  public Result ctr(String... words) {
    return host.engineRoot()
        .command("ctr", "--address", SOCKET, "--namespace", NAMESPACE)
        .with((Object[]) words)
        .run();
  }

  /** Where it serves CRI, as this JVM reaches it. */
  public Path socket() {
    return host.engineRoot().path(SOCKET);
  }

  /** Below which the lab finds all control groups of its own. */
  public String cgroupParent() {
    return host.cgroupParent();
  }

  /** A running container's process. */
  public Task task(String container) {
    String pid =
        ctr("tasks", "list")
            .orThrow()
            .out()
            .lines()
            .map(line -> line.split("\\s+", -1))
            .filter(words -> words[0].equals(container))
            .map(words -> words[1])
            .findFirst()
            .orElseThrow(() -> new LabException("containerd runs no container " + container));
    return new Task(host, container, pid);
  }
}
