package io.flannelvlan.firewall;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Two hosts with three VLANs (the third is internal), their containers, and machines outside, each
 * a namespace of its own. No link leads to the machine's own namespace, so no packet can either.
 *
 * <pre>
 *  h1 198.51.100.11: vlan 1 10.1.20.0/24: a1   vlan 2 10.2.20.0/24: c1 c2   vlan 3: i1   docker0: k
 *  h2 198.51.100.12: vlan 1 10.1.30.0/24: b    vlan 2 10.2.30.0/24: d       vlan 3: j
 *  out 198.51.100.21: knows no 10.x        rogue 198.51.100.66: routes all of 10/8 and 172.17/16 to h1
 * </pre>
 */
final class Testbed implements AutoCloseable {

  static final String H1 = "198.51.100.11";
  static final String H2 = "198.51.100.12";
  static final String OUT = "198.51.100.21";
  static final String ROGUE = "198.51.100.66";
  static final String C1 = "10.2.20.5";
  static final String C2 = "10.2.20.6";
  static final String D = "10.2.30.5";
  static final int VXLAN_PORT = 8472;

  private static final String PREFIX = "fvfw-";

  /** The address of the user's own station on a shared bridge. */
  static final String STATION = "192.168.5.5";

  private static final AtomicInteger BEDS = new AtomicInteger();

  private final int bed = BEDS.incrementAndGet();
  private final Optional<String> shared;
  private final Map<String, Netns> namespaces = new LinkedHashMap<>();
  private final List<EchoServer> servers = new ArrayList<>();

  /** A machine or container: its namespace's name and its address. */
  record Node(String name, String address) {}

  /** Everybody who has a server. */
  static final List<Node> NODES =
      List.of(
          new Node("a1", "10.1.20.5"),
          new Node("b", "10.1.30.5"),
          new Node("c1", C1),
          new Node("c2", C2),
          new Node("d", D),
          new Node("i1", "10.3.20.5"),
          new Node("j", "10.3.30.5"),
          new Node("k", "172.17.0.5"),
          new Node("h1", H1),
          new Node("h2", H2),
          new Node("out", OUT),
          new Node("rogue", ROGUE));

  /** Each VLAN has a bridge of its own. */
  Testbed() {
    this(Optional.empty());
  }

  /**
   * All VLANs of a host are on one bridge, which on h1 has an address and a station of the user's
   * too: u 192.168.5.5.
   */
  static Testbed sharing(String bridge) {
    return new Testbed(Optional.of(bridge));
  }

  private Testbed(Optional<String> shared) {
    this.shared = shared;
    sweep();
    try {
      build();
      for (Node node : NODES) {
        servers.add(EchoServer.start(namespace(node.name())));
      }
    } catch (RuntimeException failure) {
      close();
      throw failure;
    }
  }

  Netns namespace(String name) {
    Netns namespace = namespaces.get(name);
    if (namespace == null) {
      throw new IllegalArgumentException("no " + name + " in the testbed");
    }
    return namespace;
  }

  /** The VLANs as each host sees them. */
  static List<VlanRules> vlans() {
    return vlans(Optional.empty());
  }

  private static String bridge(Optional<String> shared, int vni) {
    return shared.orElse("fvbr." + vni);
  }

  private static List<VlanRules> vlans(Optional<String> shared) {
    List<VlanRules> vlans = new ArrayList<>();
    for (int vni = 1; vni <= 3; vni++) {
      vlans.add(
          new VlanRules(
              "vlan00" + vni,
              new Vni(vni),
              bridge(shared, vni),
              "flannel." + vni,
              Cidr.parse("10." + vni + ".0.0/16"),
              vni == 3,
              true,
              Optional.empty(),
              Optional.empty()));
    }
    return vlans;
  }

  /** Those of h1, with a bridge for each VLAN. */
  static FirewallRules rules(PublishedPort... ports) {
    return new FirewallRules(vlans(), List.of(ports), Set.of("docker0"));
  }

  /** Puts a firewall with these ports on h1, and one without any on h2. */
  void firewall(Nft nft, PublishedPort... ports) {
    apply("h1", nft, rulesOfH1(ports));
    apply(
        "h2",
        new Nft(),
        new FirewallRules(vlans(shared), List.of(), Set.of(), List.of(), named(30)));
  }

  FirewallRules rulesOfH1(PublishedPort... ports) {
    return new FirewallRules(
        vlans(shared), List.of(ports), Set.of("docker0"), List.of(), named(20));
  }

  void apply(String host, Nft nft, FirewallRules rules) {
    namespace(host)
        .in(() -> {
          nft.apply(rules);
          return new ForwardHook().apply(rules.passages());
        });
  }

  /** The shared bridge of a host, with the VLANs on it. */
  List<NamedBridge> named(int subnet) {
    return shared
        .map(bridge ->
            new NamedBridge(
                bridge, IntStream.rangeClosed(1, 3).mapToObj(vni -> member(vni, subnet)).toList()))
        .stream()
        .toList();
  }

  private static NamedBridge.Member member(int vni, int subnet) {
    Cidr cidr = Cidr.parse("10." + vni + "." + subnet + ".0/24");
    return new NamedBridge.Member(
        "vlan00" + vni,
        new Vni(vni),
        Set.of(cidr),
        Optional.of(
            NODES.stream()
                .map(Node::address)
                .map(IpAddress::parse)
                .filter(cidr::contains)
                .map(MacAddress::ofEndpoint)
                .collect(Collectors.toSet())));
  }

  /** Runs a command of the machine inside a namespace; its output. */
  String run(String node, String input, String program, String... arguments) {
    return namespace(node)
        .in(() -> {
          Program.Output output = new Program(program, program).run(input, arguments);
          if (output.failed()) {
            throw new IllegalStateException(program + ": " + output.text() + "\n" + input);
          }
          return output.text();
        });
  }

  void ip(String node, String... commands) {
    run(node, String.join("\n", commands), "ip", "-batch", "-");
  }

  void sysctl(String node, String key, String value) {
    namespace(node)
        .in(() -> Files.writeString(Path.of("/proc/sys/net", key.split("/", -1)), value));
  }

  /** Nothing to switch where the module is not loaded: then it is off. */
  void bridgeNetfilter(String node, boolean on) {
    if (Files.exists(Path.of("/proc/sys/net/bridge"))) {
      sysctl(node, "bridge/bridge-nf-call-iptables", on ? "1" : "0");
    }
  }

  private void build() {
    create("wire");
    ip("wire", "link add br0 type bridge", "link set br0 up");
    host("h1", 11, 20);
    host("h2", 12, 30);
    attach("out", "wire", "br0", OUT + "/24", "");
    attach("rogue", "wire", "br0", ROGUE + "/24", "");
    ip("rogue", "route add 10.0.0.0/8 via " + H1, "route add 172.17.0.0/16 via " + H1);
    peers("h1", 12, 30);
    peers("h2", 11, 20);
    ip(
        "h1",
        "link add docker0 type bridge",
        "addr add 172.17.0.1/16 dev docker0",
        "link set docker0 up");
    if (shared.isPresent()) {
      ip("h1", "addr add 192.168.5.1/24 dev " + shared.get());
      attach("u", "h1", shared.get(), STATION + "/24", "192.168.5.1");
      servers.add(EchoServer.start(namespace("u")));
    }
    attach("a1", "h1", bridge(shared, 1), "10.1.20.5/24", "10.1.20.1");
    attach("b", "h2", bridge(shared, 1), "10.1.30.5/24", "10.1.30.1");
    attach("c1", "h1", bridge(shared, 2), C1 + "/24", "10.2.20.1");
    attach("c2", "h1", bridge(shared, 2), C2 + "/24", "10.2.20.1");
    attach("d", "h2", bridge(shared, 2), D + "/24", "10.2.30.1");
    attach("i1", "h1", bridge(shared, 3), "10.3.20.5/24", "10.3.20.1");
    attach("j", "h2", bridge(shared, 3), "10.3.30.5/24", "10.3.30.1");
    attach("k", "h1", "docker0", "172.17.0.5/16", "172.17.0.1");
  }

  private void create(String name) {
    Netns namespace = new Netns(PREFIX + ProcessHandle.current().pid() + "-" + bed + "-" + name);
    outside("netns", "add", namespace.name());
    namespaces.put(name, namespace);
    ip(name, "link set lo up");
  }

  /** A host as it is after Docker and the driver: forwarding, FORWARD drops, a chain of users. */
  private void host(String name, int address, int subnet) {
    attach(name, "wire", "br0", "198.51.100." + address + "/24", "198.51.100.254");
    sysctl(name, "ipv4/ip_forward", "1");
    shared.ifPresent(bridge -> bridge(name, bridge));
    for (int vni = 1; vni <= 3; vni++) {
      String base = "10." + vni + "." + subnet + ".";
      String bridge = bridge(shared, vni);
      if (shared.isEmpty()) {
        bridge(name, bridge);
      }
      ip(
          name,
          "addr add " + base + "1/24 dev " + bridge,
          "link add flannel."
              + vni
              + " mtu 1450 address "
              + mac(vni, address)
              + " type vxlan id "
              + vni
              + " local 198.51.100."
              + address
              + " dev eth0 dstport "
              + VXLAN_PORT
              + " nolearning",
          "addr add " + base + "0/32 dev flannel." + vni,
          "link set flannel." + vni + " up");
      sysctl(name, "ipv4/conf/" + bridge + "/route_localnet", "1");
    }
    docker(name);
  }

  private void bridge(String host, String name) {
    ip(host, "link add " + name + " type bridge", "link set " + name + " up");
  }

  /** Makes iptables' filter table what Docker makes of it, with nothing of ours. */
  void docker(String name) {
    run(
        name,
        """
        *filter
        :FORWARD DROP
        :DOCKER-USER -
        :DOCKER-FORWARD -
        -A FORWARD -j DOCKER-USER
        -A FORWARD -j DOCKER-FORWARD
        -A DOCKER-FORWARD -i docker0 -j ACCEPT
        -A DOCKER-FORWARD -o docker0 -m conntrack --ctstate DNAT,RELATED,ESTABLISHED -j ACCEPT
        COMMIT
        """,
        "iptables-nft-restore");
  }

  static String mac(int vni, int host) {
    return "02:00:00:00:0%d:%02d".formatted(vni, host);
  }

  private void peers(String name, int peer, int subnet) {
    for (int vni = 1; vni <= 3; vni++) {
      String base = "10." + vni + "." + subnet + ".0";
      String link = "flannel." + vni;
      ip(
          name,
          "neigh replace " + base + " lladdr " + mac(vni, peer) + " dev " + link + " nud permanent",
          "route replace " + base + "/24 via " + base + " dev " + link + " onlink");
      run(
          name,
          "fdb replace " + mac(vni, peer) + " dev " + link + " dst 198.51.100." + peer,
          "bridge",
          "-batch",
          "-");
    }
  }

  private void attach(String name, String host, String bridge, String address, String gateway) {
    create(name);
    InterfaceAddress inside = InterfaceAddress.parse(address);
    ip(
        host,
        "link add v"
            + name
            + " group "
            + group(bridge, inside.address())
            + " type veth peer name eth0 address "
            + MacAddress.ofEndpoint(inside.address())
            + " netns "
            + namespace(name).name(),
        "link set v" + name + " master " + bridge + " up");
    // br_netfilter translates while a frame is still in the bridge: to reach itself by a published
    // port, a container's frame must leave by the port that it came in.
    run(host, "link set dev v" + name + " hairpin on", "bridge", "-batch", "-");
    if (group(bridge, inside.address()) != 0) {
      // As the driver makes them: LLDP's address is one like any other.
      ip(host, "link set v" + name + " type bridge_slave group_fwd_mask 16384");
    }
    ip(name, "addr add " + address + " dev eth0", "link set eth0 up");
    if (!gateway.isEmpty()) {
      ip(name, "route add default via " + gateway);
    }
  }

  private int group(String bridge, IpAddress inside) {
    boolean ours = shared.equals(Optional.of(bridge)) && Cidr.parse("10.0.0.0/8").contains(inside);
    return ours ? PortGroup.of(new Vni(inside.bytes()[1])) : 0;
  }

  private static void outside(String... arguments) {
    Program.Output output = new Program("ip", "iproute2").run("", arguments);
    if (output.failed()) {
      throw new IllegalStateException("ip " + String.join(" ", arguments) + ": " + output.text());
    }
  }

  /** Removes what a killed test left. */
  private static void sweep() {
    try (var left = Files.list(Path.of("/run/netns"))) {
      for (String name : left.map(file -> file.getFileName().toString()).toList()) {
        if (name.startsWith(PREFIX)
            && ProcessHandle.of(Long.parseLong(name.split("-", -1)[1])).isEmpty()) {
          outside("netns", "del", name);
        }
      }
    } catch (IOException _) {
      // No namespace was ever made on this machine.
    }
  }

  @Override
  public void close() {
    servers.forEach(EchoServer::close);
    namespaces.values().forEach(namespace -> outside("netns", "del", namespace.name()));
  }
}
