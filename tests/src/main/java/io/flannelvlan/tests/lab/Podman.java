package io.flannelvlan.tests.lab;

import java.util.ArrayList;
import java.util.List;

/**
 * Podman with CNI networks, on a host whose engine's distribution has it, and our program beside
 * it: it reads /etc/cni/net.d, like everybody.
 *
 * <p>The program is the managed plugin's root, which brings its C library: a package that was made
 * on a newer distribution could not be installed there.
 */
public final class Podman {

  /** In place of what the package puts there. */
  private static final String IN_ITS_ROOT =
      """
      #!/bin/sh
      exec /usr/sbin/chroot /srv/rootfs /usr/lib/flannelvlan/bin/%s "$@"
      """;

  /**
   * Namespaces that podman makes in /run appear in the root, too: the engine's mounts are shared.
   */
  private static final String MOUNTS =
      """
      set -e
      root=/srv/rootfs
      mount --bind /proc $root/proc
      mount --rbind /dev $root/dev
      mount --rbind /run $root/run
      mkdir -p /srv/flannelvlan $root/srv/flannelvlan
      mount --bind /srv/flannelvlan $root/srv/flannelvlan
      """;

  /** Nothing here may raise limits; no systemd keeps control groups or a journal. */
  private static final List<String> PODMAN =
      List.of(
          "podman",
          "--runtime=runc",
          "--cgroup-manager=cgroupfs",
          "--events-backend=file",
          "--storage-driver=vfs",
          "--root=/srv/podman",
          "--runroot=/run/podman");

  /** The lab's image, as podman names what it loaded. */
  private static final String IMAGE = "localhost/" + Lab.IMAGE + ":latest";

  private final Host host;

  /** Sets it up with the lab's image, which it takes from this host's Docker. */
  public Podman(Host host) {
    this.host = host;
    Command.of("cp", "-a", Project.plugin().resolve("rootfs").toString())
        .with(host.srv().resolve("rootfs"))
        .run()
        .orThrow();
    host.engineRoot().run("sh", "-c", MOUNTS).orThrow();
    host.place("/usr/bin/flannelvlan", IN_ITS_ROOT.formatted("flannelvlan"));
    host.place("/usr/lib/cni/flannelvlan-cni", IN_ITS_ROOT.formatted("flannelvlan-cni"));
    host.docker("save", "--output", "/srv/image.tar", Lab.IMAGE);
    podman("load", "--input", "/srv/image.tar").orThrow();
  }

  /** Gives it a network. */
  public void configure(String file, String text) {
    host.place("/etc/cni/net.d/" + file, text);
  }

  /** Its own settings. */
  public void settings(String text) {
    host.place("/etc/containers/containers.conf", text);
  }

  public Result podman(String... words) {
    return host.engineRoot().command(PODMAN.toArray(String[]::new)).with((Object[]) words).run();
  }

  /** A container in that network; it serves HTTP. */
  public Task run(String name, String network, String... options) {
    tryRun(name, network, options).orThrow();
    return task(name);
  }

  /** A container that may be refused. */
  public Result tryRun(String name, String network, String... options) {
    List<String> words = new ArrayList<>(List.of("run", "--detach", "--pull=never"));
    words.addAll(List.of("--name", name, "--hostname", name, "--network", network));
    words.addAll(List.of("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"));
    words.addAll(List.of("--cgroup-parent", host.cgroupParent()));
    words.addAll(List.of(options));
    words.add(IMAGE);
    return podman(words.toArray(String[]::new));
  }

  public Task task(String name) {
    return new Task(host, name, inspect(name, "{{.State.Pid}}"));
  }

  public String inspect(String name, String template) {
    return podman("inspect", "--format", template, name).orThrow().text();
  }

  /**
   * Kills podman's own process beside a container, and then the container, which stays unnoticed.
   */
  public void crash(String name) {
    String pids = inspect(name, "{{.State.ConmonPid}} {{.State.Pid}}");
    host.engineRoot().run("sh", "-c", "kill -9 " + pids).orThrow();
  }

  public Result remove(String name) {
    return podman("rm", "--force", "--time", "0", name);
  }
}
