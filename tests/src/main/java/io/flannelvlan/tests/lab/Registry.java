package io.flannelvlan.tests.lab;

import java.nio.file.Path;

/** A registry on the wire, to which engines push and from which they install. */
public final class Registry {
  private static final String ADDRESS = "198.51.100.5";
  private static final String NAME = ADDRESS + ":5000";

  /** For engines that shall talk to it without TLS. */
  public static final String DOCKERD_OPTION = "--insecure-registry=" + NAME;

  private final Daemon daemon;

  Registry(Namespaces lab, Path place) {
    lab.run("ip", "address", "add", ADDRESS + "/24", "dev", "wire").orThrow();
    this.daemon =
        new Daemon(
            "the registry",
            place.resolve("registry.log"),
            () ->
                Command.of("unshare", "--mount", "--propagation", "private")
                    .with(Project.script("registry"), place.resolve("registry"))
                    .with(Engine.DOCKER_20_10.tree(), ADDRESS)
                    .inside(lab.prefix()),
            () -> isServing(lab));
  }

  private static boolean isServing(Namespaces lab) {
    String busybox = Engine.busybox().toString();
    return lab.run(busybox, "wget", "-q", "-O", "-", "http://" + NAME + "/v2/").ok();
  }

  Daemon daemon() {
    return daemon;
  }

  /** The reference of something in it. */
  public String reference(String repositoryAndTag) {
    return NAME + "/" + repositoryAndTag;
  }
}
