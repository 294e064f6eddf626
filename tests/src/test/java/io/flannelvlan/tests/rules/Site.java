package io.flannelvlan.tests.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.invariants.Invariants;
import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Etcd;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A lab whose hosts run the plugin, with the commands as a user types them. */
final class Site implements AutoCloseable {

  /** What every command of this package's tests begins with, unless it is about the beginning. */
  static final String OURS = "-d flannelvlan --ipam-driver flannelvlan ";

  private static final String VLANS = "/coreos.com/network/";
  private static final String ADDRESSES = "/flannelvlan/addresses/";

  /** By its alias, or as the container's end of a veth pair, which has none. */
  private static final Pattern OUR_LINK =
      Pattern.compile("alias flannelvlan |^\\d+: f[vc][0-9a-f]{12}\\b");

  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final Lab lab = Lab.start();
  private final List<Host> hosts = new CopyOnWriteArrayList<>();

  /** Hosts of these engines, the plugin running on each. */
  Site(Engine... engines) {
    hosts.addAll(lab.hosts(engines));
    hosts.parallelStream().forEach(host -> host.plugin().start());
  }

  /** One more host, for an engine that needs options of its own. */
  Host join(Engine engine, String... dockerdOptions) {
    Host host = lab.host(engine, dockerdOptions);
    host.plugin().start();
    hosts.add(host);
    return host;
  }

  Lab lab() {
    return lab;
  }

  Etcd etcd() {
    return lab.etcd();
  }

  Host host(int number) {
    return hosts.get(number - 1);
  }

  /** {@code docker network create OPTIONS}, which must succeed. */
  void create(Host host, String options) {
    tryCreate(host, options).orThrow();
  }

  Result tryCreate(Host host, String options) {
    return type(host, "docker network create " + options);
  }

  /** A line as it would be typed or pasted at the host's prompt. */
  Result type(Host host, String line) {
    assertThat(line).startsWith("docker ");
    return host.tryDocker(line.substring("docker ".length()).strip().split(" +"));
  }

  /** {@code docker network create OPTIONS}, which must be refused and change nothing; its words. */
  String refused(Host host, String options) {
    List<String> before = state(host);
    Result result = tryCreate(host, options);
    assertThat(result.ok()).as(options).isFalse();
    assertThat(state(host)).as("after the refused " + options).isEqualTo(before);
    return result.err();
  }

  /** The value with which a VLAN is made by hand. */
  static String config(String range, int vni) {
    return "{\"Network\":\"%s\",\"Backend\":{\"Type\":\"vxlan\",\"VNI\":%d}}".formatted(range, vni);
  }

  void makeByHand(String vlan, String range, int vni) {
    etcd().put(VLANS + vlan + "/config", config(range, vni));
  }

  List<String> vlans() {
    return etcd().keys(VLANS).stream()
        .filter(key -> key.endsWith("/config"))
        .map(key -> key.substring(VLANS.length(), key.length() - "/config".length()))
        .toList();
  }

  /** This host's subnets in a VLAN, such as 10.1.20.0/24, as etcd has them. */
  List<String> leases(Host host, String vlan) {
    return keysOf(host, VLANS + vlan + "/subnets/")
        .map(key -> key.substring(key.lastIndexOf('/') + 1).replace('-', '/'))
        .toList();
  }

  /** The same, with all that they say. */
  Map<String, String> leaseValues(Host host, String vlan) {
    Map<String, String> values = new TreeMap<>();
    for (String subnet : leases(host, vlan)) {
      String key = VLANS + vlan + "/subnets/" + subnet.replace('/', '-');
      values.put(subnet, etcd().get(key).orElse(""));
    }
    return values;
  }

  /** A link's; empty if it is not there. */
  String mac(Host host, String link) {
    Matcher shown =
        Pattern.compile("link/ether (\\S+)")
            .matcher(host.in("ip", "-oneline", "link", "show", link).out());
    return shown.find() ? shown.group(1) : "";
  }

  String lease(Host host, String vlan) {
    List<String> all = leases(host, vlan);
    assertThat(all).hasSize(1);
    return all.getFirst();
  }

  /** An address of this host's subnet, which is a /24: {@code at(lease, 2)} is 10.1.20.2. */
  static String at(String lease, int last) {
    return lease.substring(0, lease.lastIndexOf('.') + 1) + last;
  }

  /** The addresses that the host holds, in order, as etcd has them. */
  List<String> addresses(Host host) {
    return keysOf(host, ADDRESSES)
        .map(key -> key.substring(key.lastIndexOf('/') + 1))
        .sorted()
        .toList();
  }

  /** The same as Docker has them, of these containers' only networks. */
  List<String> addressesOf(Host host, String... containers) {
    return Stream.of(containers).map(name -> host.container(name).address()).sorted().toList();
  }

  /** What of ours stands on the host, and in etcd for it. */
  List<String> remains(Host host) {
    List<String> found = new ArrayList<>(kernelRemains(host));
    keysOf(host, ADDRESSES).forEach(found::add);
    keysOf(host, VLANS).filter(key -> key.contains("/subnets/")).forEach(found::add);
    return found;
  }

  /** What of ours stands on the host alone. */
  List<String> kernelRemains(Host host) {
    List<String> found = new ArrayList<>();
    lines(host, "ip", "-oneline", "-details", "link")
        .filter(line -> OUR_LINK.matcher(line).find())
        .map(line -> "link " + line.split(": ", 3)[1])
        .forEach(found::add);
    lines(host, "ip", "-oneline", "-4", "address")
        .filter(line -> line.contains(":fv "))
        .forEach(found::add);
    lines(host, "ip", "route", "show", "table", "all", "proto", "241").forEach(found::add);
    lines(host, "nft", "list", "tables")
        .filter(line -> line.contains("flannelvlan"))
        .forEach(found::add);
    lines(host, "iptables-save").filter(line -> line.contains("FLANNELVLAN")).forEach(found::add);
    return found;
  }

  /** Waits for the background's work after the last network went. */
  void nothingRemains(Host host) {
    Await.until(PATIENCE, () -> "left: " + remains(host), () -> remains(host).isEmpty());
  }

  /** What must hold at any quiet moment holds now; then the same as {@link #clear}. */
  void requireInvariantsAndClear() {
    try {
      Invariants.of(lab).awaitHeld();
    } finally {
      clear();
    }
  }

  /** Takes every container, network and VLAN away, and checks that this leaves nothing. */
  void clear() {
    hosts.parallelStream().forEach(this::clear);
    etcd().etcdctl("del", "--prefix", VLANS).orThrow();
    etcd().etcdctl("del", "--prefix", "/flannelvlan/").orThrow();
  }

  private void clear(Host host) {
    removeAll(host, "rm --force ", docker(host, "ps --all --quiet"));
    removeAll(host, "network rm ", docker(host, "network ls --quiet --filter driver=flannelvlan"));
    nothingRemains(host);
  }

  private static void removeAll(Host host, String words, List<String> ids) {
    if (!ids.isEmpty()) {
      docker(host, words + String.join(" ", ids));
    }
  }

  private List<String> state(Host host) {
    List<String> all = new ArrayList<>(remains(host));
    etcd().entries(VLANS).forEach((key, value) -> all.add(key + " " + value));
    all.addAll(docker(host, "network ls --no-trunc"));
    return all;
  }

  private static List<String> docker(Host host, String words) {
    return host.docker(words.split(" ")).out().lines().toList();
  }

  private Stream<String> keysOf(Host host, String prefix) {
    return etcd().entries(prefix).entrySet().stream()
        .filter(entry -> entry.getValue().contains('"' + host.address() + '"'))
        .map(Map.Entry::getKey);
  }

  private static Stream<String> lines(Host host, String... tool) {
    return host.in(tool).orThrow().out().lines();
  }

  @Override
  public void close() {
    lab.close();
  }
}
