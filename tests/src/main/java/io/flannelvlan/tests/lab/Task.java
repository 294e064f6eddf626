package io.flannelvlan.tests.lab;

/**
 * A running container of containerd's.
 *
 * @param name its id
 * @param pid as its host counts
 */
public record Task(Host host, String name, String pid) implements Station {

  /** That of eth0. */
  @Override
  public String address() {
    return address("eth0");
  }

  public String address(String link) {
    String line = in("ip", "-4", "-o", "address", "show", "dev", link).orThrow().text();
    return line.replaceFirst(".* inet ([0-9.]+)/.*", "$1");
  }

  Command command(String... tool) {
    return host.namespaces()
        .command("nsenter", "--target", pid, "--net", "--")
        .with((Object[]) tool);
  }
}
