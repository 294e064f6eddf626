package io.flannelvlan.tests.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A pod's network namespace, on which the CNI executable is called as a runtime calls it. */
public final class Pod implements Station {
  private final Host host;
  private final String name;

  Pod(Host host, String name) {
    this.host = host;
    this.name = name;
    host.in("ip", "netns", "add", name).orThrow();
    in("ip", "link", "set", "lo", "up").orThrow();
  }

  @Override
  public String name() {
    return name;
  }

  /** Its namespace's file, as the host has it. */
  public String netns() {
    return "/run/netns/" + name;
  }

  /** That of eth0. */
  @Override
  public String address() {
    return address("eth0");
  }

  public String address(String link) {
    String line = in("ip", "-4", "-o", "address", "show", "dev", link).orThrow().text();
    return line.replaceFirst(".* inet ([0-9.]+)/.*", "$1");
  }

  /** Another id of a container than its name, for who wants to be wrong. */
  public Result cni(String command, String conf, String... variables) {
    Map<String, String> all = new TreeMap<>();
    all.put("CNI_COMMAND", command);
    all.put("CNI_CONTAINERID", name);
    all.put("CNI_NETNS", netns());
    all.put("CNI_IFNAME", "eth0");
    all.put("CNI_PATH", "/opt/cni/bin");
    all.put("JAVA_HOME", System.getProperty("java.home"));
    for (String variable : variables) {
      int equals = variable.indexOf('=');
      all.put(variable.substring(0, equals), variable.substring(equals + 1));
    }
    List<Object> words = new ArrayList<>();
    all.forEach((variable, value) -> words.add(variable + "=" + value));
    words.add(Project.cniPlugin());
    return host.namespaces().command("env").with(words.toArray()).from(written(conf)).run();
  }

  private Path written(String conf) {
    try {
      Path file = host.srv().resolve("cni-" + name + ".json");
      Files.createDirectories(host.srv());
      return Files.writeString(file, conf);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends it as a crash of its host's runtime does: no plugin hears of it. */
  public void vanish() {
    host.in("ip", "netns", "delete", name).orThrow();
  }

  Command command(String... tool) {
    return host.namespaces().command("nsenter", "--net=" + netns(), "--").with((Object[]) tool);
  }
}
