package io.flannelvlan.tests.chaos;

import io.flannelvlan.tests.chaos.Fault.Strike;
import io.flannelvlan.tests.lab.Host;
import java.util.List;
import java.util.function.Supplier;

/** What somebody does to a host's kernel by hand. */
final class KernelFaults {
  private final List<Host> hosts;
  private final Model model;

  KernelFaults(List<Host> hosts, Model model) {
    this.hosts = hosts;
    this.model = model;
  }

  List<Fault> all() {
    return List.of(
        onVlan("bridge deleted", "ip link delete fvbr.%s"),
        onVlan("bridge set down", "ip link set fvbr.%s down"),
        onVlan("tunnel deleted", "ip link delete flannel.%s"),
        onVlan("tunnel set down", "ip link set flannel.%s down"),
        onVlan("tunnel's MAC changed", "ip link set flannel.%s address 0a:00:00:00:00:07"),
        onVlan("tunnel's MTU changed", "ip link set flannel.%s mtu 1300"),
        onVlan("bridge's addresses deleted", "ip address flush dev fvbr.%s"),
        onVlan("tunnel's addresses deleted", "ip address flush dev flannel.%s"),
        onVlan("routes deleted", "ip route flush dev flannel.%s"),
        onVlan("neighbours deleted", "ip neigh flush nud permanent dev flannel.%s"),
        onVlan(
            "FDB entries deleted",
            "bridge fdb show dev flannel.%1$s | grep dst | while read mac dst ip rest; do"
                + " bridge fdb delete $mac dev flannel.%1$s dst $ip self; done"),
        onHost("nft table deleted", "nft delete table inet flannelvlan"),
        onHost("nft ruleset flushed", "nft flush table inet flannelvlan"),
        onHost(
            "iptables chain deleted",
            "iptables-save -t filter | sed -n 's/^-A \\(.*-j FLANNELVLAN.*\\)/\\1/p' |"
                + " while read rule; do iptables -D $rule; done;"
                + " iptables -F FLANNELVLAN; iptables -X FLANNELVLAN; true"),
        onHost("FORWARD's policy is DROP", "iptables -P FORWARD DROP"),
        new Fault("veth deleted", Kind.KERNEL, Effect.RESTART, this::vethDeleted));
  }

  private Fault onHost(String name, String script) {
    return new Fault(
        name,
        Kind.KERNEL,
        Effect.PACKETS,
        draw -> {
          int number = draw.between(0, Model.HOSTS - 1);
          Host host = hosts.get(number);
          return Strike.of(host.name(), () -> type(host, script)).on(number).refusing();
        });
  }

  private Fault onVlan(String name, String script) {
    return new Fault(
        name,
        Kind.KERNEL,
        Effect.PACKETS,
        draw -> {
          int number = draw.between(0, Model.HOSTS - 1);
          String vlan = draw.of(model.networks(number));
          Host host = hosts.get(number);
          return Strike.of(
                  host.name() + " " + vlan, () -> type(host, script.formatted(vlan.substring(6))))
              .on(number)
              .refusing();
        });
  }

  /** Its other end goes with it; nobody but a restart can give the container a new one. */
  private Strike vethDeleted(Draw draw) {
    int number = draw.between(0, Model.HOSTS - 1);
    Host host = hosts.get(number);
    String name = Scene.anchor(number);
    Supplier<String> endpoint =
        () ->
            host.docker(
                    "inspect",
                    "--format",
                    "{{range .NetworkSettings.Networks}}{{.EndpointID}}{{end}}",
                    name)
                .text();
    return Strike.of(
            host.name() + " " + name,
            () -> type(host, "ip link delete fv" + endpoint.get().substring(0, 12)),
            () -> host.docker("restart", "--time", "0", name))
        .on(number)
        .refusing();
  }

  private static void type(Host host, String script) {
    host.in("bash", "-c", script).orThrow();
  }
}
