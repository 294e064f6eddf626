package io.flannelvlan.tests.engine;

import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import java.util.List;
import java.util.stream.Collectors;

/** The text of docs/KERNEL.md. Tools of all versions print these lines alike. */
final class KernelDoc {
  private static final String HEAD =
      """
      # One VLAN in two kernels

      Made by `KernelDocIT` from a real run, and compared with one in each build. To make it anew:
      `mvn -pl tests verify -Dit.test=KernelDocIT -Dkernel.doc=write` after `./dev build`. Two hosts, 198.51.100.11 and .12, are in vlan002 (10.2.0.0/16, VNI 2) with the subnets
      10.2.11.0/24 and 10.2.22.0/24; each runs one container. The VTEPs' MACs are random, and so are the names of the veth pairs.

      All but the bridge, the veths and the mark of ownership (`proto 241`, the links' alias and group) is what stock flanneld puts there.
      """;

  /** What a person would type to look around. */
  private static final List<String> COMMANDS =
      List.of(
          "ip -4 route show dev flannel.2",
          "ip -4 route show dev fvbr.2",
          "ip neigh show dev flannel.2",
          "bridge fdb show dev flannel.2",
          "sysctl net.ipv4.conf.flannel/2.forwarding net.ipv4.conf.fvbr/2.forwarding",
          "sysctl net.ipv4.conf.fvbr/2.route_localnet");

  private KernelDoc() {}

  static String of(Lab lab, List<Host> hosts) {
    return HEAD
        + section("etcd", etcd(lab))
        + hosts.stream()
            .map(host -> section(host.name(), kernel(host)))
            .collect(Collectors.joining());
  }

  private static String section(String title, String text) {
    return "\n## " + title + "\n```\n" + text + "```\n";
  }

  private static String etcd(Lab lab) {
    return lab.etcd().etcdctl("get", "--prefix", "--", "/coreos.com/network/").orThrow().out();
  }

  private static String kernel(Host host) {
    return command("ip -details link", links(host))
        + command("ip -4 address", addresses(host))
        + COMMANDS.stream()
            .map(words -> command(words, KernelDocIT.lines(host, words)))
            .collect(Collectors.joining());
  }

  private static String command(String words, List<String> output) {
    return "$ "
        + words
        + "\n"
        + output.stream().map(line -> line + "\n").collect(Collectors.joining());
  }

  /** Shortened to what does not depend on the tool's version. */
  private static List<String> links(Host host) {
    return KernelDocIT.lines(host, "ip -details -oneline link").stream()
        .filter(line -> line.contains("alias flannelvlan "))
        .map(line -> {
          String name = line.split("[:@] *", -1)[1].replaceAll("^fv[0-9a-f]{12}$", "fv<endpoint>");
          String kind =
              line.contains("vxlan id ")
                  ? line.replaceAll(".*(vxlan id .* nolearning) .*", "$1")
                  : name.startsWith("fvbr.") ? "bridge" : "veth, port of " + part(line, "master");
          String ether = name.startsWith("fv<") ? "" : " address " + part(line, "link/ether");
          return name
              + ": mtu "
              + part(line, "mtu")
              + " group "
              + part(line, "group")
              + ether
              + " "
              + kind
              + ", alias \""
              + line.replaceAll(".*alias (flannelvlan \\S+).*", "$1")
              + "\"";
        })
        .toList();
  }

  private static String part(String line, String word) {
    return line.replaceAll(".*[ \\\\]" + word + " (\\S+) .*", "$1");
  }

  private static List<String> addresses(Host host) {
    return KernelDocIT.lines(host, "ip -4 -oneline address").stream()
        .filter(line -> line.contains(" flannel.2 ") || line.contains(" fvbr.2 "))
        .map(line -> line.replaceAll("^\\d+: +(\\S+) +(inet .* scope global) .*", "$1: $2"))
        .toList();
  }
}
