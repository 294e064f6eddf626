package io.flannelvlan.tests.chaos;

import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LabException;
import io.flannelvlan.tests.lab.Result;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * One docker command of a user.
 *
 * @param exit what it must end with
 */
record Work(int host, String line, int exit) {
  /** An address of this host's subnet, known only when the command is run: {@code vlan001:77}. */
  private static final Pattern ADDRESS = Pattern.compile("vlan00(\\d):(\\d+)");

  private static final Pattern NAME = Pattern.compile("--name (\\S+)|--volumes (\\S+)");

  static Work create(int host, String vlan) {
    String vni = vlan.substring(6);
    return of(
        host,
        "network create -d flannelvlan --ipam-driver flannelvlan --subnet 10.%s.0.0/16 --opt vni=%s %s"
            .formatted(vni, vni, vlan));
  }

  static Work removeNetwork(int host, String vlan) {
    return of(host, "network rm " + vlan);
  }

  static Work run(int host, String name, String vlan, String... options) {
    String all = Arrays.stream(options).map(option -> option + " ").collect(Collectors.joining());
    return of(
        host,
        "run --detach --name %s --hostname %s --network %s %s%s"
            .formatted(name, name, vlan, all, Lab.IMAGE));
  }

  static Work runToEnd(int host, String name, String vlan, int exit) {
    return new Work(
        host,
        "run --rm --name %s --network %s %s exit %d".formatted(name, vlan, Lab.IMAGE, exit),
        exit);
  }

  static Work remove(int host, String name) {
    return of(host, "rm --force --volumes " + name);
  }

  static Work restart(Box box) {
    return of(box.host(), "restart --time 0 " + box.name());
  }

  static Work connect(Box box, String vlan) {
    return of(box.host(), "network connect " + vlan + " " + box.name());
  }

  static Work disconnect(Box box, String vlan) {
    return of(box.host(), "network disconnect " + vlan + " " + box.name());
  }

  private static Work of(int host, String line) {
    return new Work(host, line, 0);
  }

  /** The container that it is about. */
  String container() {
    Matcher named = NAME.matcher(line);
    if (!named.find()) {
      throw new IllegalStateException("no container in: " + line);
    }
    return named.group(1) == null ? named.group(2) : named.group(1);
  }

  /** Runs it; what it should not have ended with is an exception if it must succeed. */
  void play(Host at, boolean mayFail) {
    List<String> words = new ArrayList<>();
    for (String word : line.split(" ", -1)) {
      if (word.equals("exit")) {
        words.addAll(List.of("sh", "-c", "exit " + exit));
        break;
      }
      Matcher address = ADDRESS.matcher(word);
      words.add(address.matches() ? address(at, address.group(1), address.group(2)) : word);
    }
    Result result = at.tryDocker(words.toArray(String[]::new));
    if (result.exit() != exit && !mayFail) {
      throw new LabException(at.name() + ": " + result);
    }
  }

  /** The next one that is free: addresses that are given out in order come round to all. */
  private static String address(Host host, String vni, String last) {
    String bridge = "fvbr." + vni;
    String line = host.in("ip", "-brief", "-4", "address", "show", "dev", bridge).orThrow().text();
    String lease = line.split("[ /]+", -1)[2].replaceAll("[0-9]+$", "");
    String[] inspect = {"network", "inspect", "--format", "{{json .Containers}}", "vlan00" + vni};
    String taken = host.docker(inspect).out();
    int free = Integer.parseInt(last);
    while (taken.contains('"' + lease + free + "/")) {
      free++;
    }
    return lease + free;
  }

  @Override
  public String toString() {
    return "h" + (host + 1) + "$ docker " + line;
  }
}
