package io.flannelvlan.tests.lab;

/** A container of a host, by its name. */
public final class Container implements Station {
  private final Host host;
  private final String name;
  private String pid;

  Container(Host host, String name) {
    this.host = host;
    this.name = name;
    this.pid = findPid(host, name);
  }

  @Override
  public String name() {
    return name;
  }

  public Host host() {
    return host;
  }

  /** Its address in its only network. */
  @Override
  public String address() {
    String addresses = inspect("{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}");
    if (addresses.isEmpty() || addresses.contains(" ")) {
      throw new LabException(name + " has not one address but: " + addresses);
    }
    return addresses;
  }

  public String address(String network) {
    return inspect("{{(index .NetworkSettings.Networks \"" + network + "\").IPAddress}}");
  }

  /** With the machine's files and the container's network: works while dockerd is away, too. */
  Command command(String... tool) {
    return host.namespaces()
        .command("nsenter", "--target", pid, "--net", "--")
        .with((Object[]) tool);
  }

  /** docker exec: in the container's own files, by way of dockerd. */
  public Result exec(String... words) {
    return host.dockerCommand("exec", name).with((Object[]) words).run();
  }

  public String inspect(String template) {
    return host.docker("inspect", "--format", template, name).text();
  }

  public void stop() {
    host.docker("stop", "--time", "1", name);
  }

  public void start() {
    host.docker("start", name);
    pid = findPid(host, name);
  }

  public void remove() {
    host.docker("rm", "--force", "--volumes", name);
  }

  private static String findPid(Host host, String name) {
    return host.docker("inspect", "--format", "{{.State.Pid}}", name).text();
  }
}
