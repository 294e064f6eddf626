package io.flannelvlan.tests.invariants;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.flannelvlan.tests.invariants.DockerLook.Endpoint;
import io.flannelvlan.tests.invariants.EtcdLook.Held;
import io.flannelvlan.tests.invariants.EtcdLook.Lease;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What must agree about one host. */
record HostLaws(HostLook host, EtcdLook etcd, Differences found) {

  void check() {
    networks();
    endpoints();
    addresses();
    links();
    veths();
    leases();
    peers();
    ports();
    found.each("should run, by its restart policy: ", host.docker().restarting().stream());
  }

  private void networks() {
    found.compare(
        "networks",
        "dockerd",
        host.docker().networks().keySet().stream(),
        "journal",
        host.journal().keys("network"));
  }

  private void endpoints() {
    found.compare(
        "endpoints",
        "dockerd",
        host.docker().endpoints().stream().map(Endpoint::id),
        "journal",
        host.journal().keys("endpoint"));
  }

  private void addresses() {
    Stream<String> docker =
        Stream.concat(
            host.docker().endpoints().stream().map(Endpoint::address),
            host.docker().reserved().stream());
    found.compare("addresses", "dockerd", docker, "journal", host.journal().keys("address"));
    found.compare(
        "addresses",
        "journal",
        host.journal().table("address").entrySet().stream()
            .map(e -> held(e.getKey(), e.getValue())),
        "etcd",
        etcd.addressesOf(host.address()).map(Held::toString));
  }

  /** The journal's record of an address, as {@link Held} writes it. */
  private String held(String address, JsonNode record) {
    String endpoint = record.path("endpoint").asText("");
    String vlan =
        host.journal().table("vlan").entrySet().stream()
            .filter(e -> range(e.getValue()).contains(address))
            .map(e -> e.getKey())
            .findFirst()
            .orElse("?");
    return vlan
        + "/"
        + address
        + (endpoint.isEmpty() || endpoint.equals("null") ? "" : " of endpoint " + endpoint);
  }

  /** A bridge and a tunnel for each VLAN with a network, and no link of ours beyond. */
  private void links() {
    Set<String> wanted = new HashSet<>();
    Set<String> addresses = new HashSet<>();
    host.journal()
        .table("vlan")
        .forEach((name, vlan) -> {
          JsonNode links = host.journal().table("links").getOrDefault(name, vlan);
          String bridge = links.path("bridge").asText();
          if (!links.path("usersBridge").asBoolean()) {
            wanted.add(bridge + " up");
          }
          wanted.add(tunnel(vlan) + " up " + vlan.path("vtepMac").asText());
          for (JsonNode subnet : vlan.path("subnets")) {
            Subnet lease = Subnet.parse(subnet.asText());
            addresses.add(bridge + " " + gateway(lease));
            addresses.add(tunnel(vlan) + " " + lease.base() + "/32");
          }
        });
    found.compare(
        "links",
        "journal",
        wanted.stream(),
        "kernel",
        host.kernel().links().stream()
            .filter(link -> !link.isVeth())
            .map(link ->
                link.name()
                    + (link.up() ? " up" : " down")
                    + (link.vni().isPresent() ? " " + link.mac() : "")));
    found.compare(
        "addresses of links",
        "journal",
        addresses.stream(),
        "kernel",
        Stream.concat(
                host.kernel().addresses().stream().filter(address -> isOnOurLink(address)),
                host.kernel().labelled().stream())
            .distinct());
  }

  private boolean isOnOurLink(String address) {
    String name = address.substring(0, address.indexOf(' '));
    return host.kernel().links().stream().anyMatch(link -> link.name().equals(name));
  }

  /** Each endpoint's veth is a port of its VLAN's bridge, and in its group on a shared one. */
  private void veths() {
    found.compare(
        "veths",
        "dockerd",
        host.docker().endpoints().stream()
            .map(endpoint ->
                "fv"
                    + endpoint.id().substring(0, 12)
                    + " on "
                    + bridgeOf(endpoint)
                    + " up, group "
                    + groupOf(endpoint)),
        "kernel",
        host.kernel()
            .veths()
            .map(veth ->
                veth.name()
                    + " on "
                    + veth.bridge()
                    + (veth.up() ? " up" : " down")
                    + ", group "
                    + veth.group()));
  }

  private String groupOf(Endpoint endpoint) {
    int vni =
        host.journal()
            .vlanOf(endpoint.network())
            .map(vlan -> host.journal().table("vlan").get(vlan))
            .map(vlan -> vlan.path("config").path("backend").path("vni").asInt())
            .orElse(0);
    boolean own = bridgeOf(endpoint).equals("fvbr." + vni);
    return Integer.toString(own ? 26220 : 0x6600_0000 | vni);
  }

  private String bridgeOf(Endpoint endpoint) {
    return host.journal()
        .vlanOf(endpoint.network())
        .map(vlan -> host.journal().table("links").get(vlan))
        .map(links -> links.path("bridge").asText())
        .orElse("no bridge");
  }

  private void leases() {
    found.compare(
        "VLANs",
        "networks",
        host.docker().networks().keySet().stream()
            .map(network -> host.journal().vlanOf(network).orElse("no VLAN of " + network)),
        "leases in the journal",
        host.journal().keys("vlan"));
    found.each(
        "etcd has no config of ",
        host.journal().keys("vlan").filter(vlan -> !etcd.vlans().contains(vlan)));
    found.compare(
        "leases",
        "journal",
        host.journal().leases(),
        "etcd",
        etcd.leasesOf(host.address()).map(lease -> lease.vlan() + " " + lease.subnet()));
    host.journal()
        .table("vlan")
        .forEach((name, vlan) ->
            etcd.leasesOf(host.address())
                .filter(lease -> lease.vlan().equals(name))
                .filter(lease -> !lease.mac().equals(vlan.path("vtepMac").asText()))
                .forEach(lease -> found.add("etcd has another VTEP MAC: " + lease)));
  }

  /** Exactly the other hosts' leases lead to other hosts. */
  private void peers() {
    Set<String> wanted = new HashSet<>();
    Set<String> tunnels = new HashSet<>();
    host.journal()
        .table("vlan")
        .forEach((name, vlan) -> {
          if (!etcd.direct().contains(name)) {
            tunnels.add(tunnel(vlan));
            etcd.leases().stream()
                .filter(lease -> lease.vlan().equals(name) && isPeer(lease, vlan))
                .forEach(lease -> wanted.addAll(entries(lease, tunnel(vlan))));
          }
        });
    found.compare(
        "ways to peers",
        "etcd",
        wanted.stream(),
        "kernel",
        host.kernel().peers().stream()
            .filter(entry -> tunnels.contains(entry.substring(entry.lastIndexOf(' ') + 1))));
  }

  private boolean isPeer(Lease lease, JsonNode vlan) {
    return !lease.host().equals(host.address())
        && range(vlan).contains(lease.subnet())
        && Json.elements(vlan.path("subnets"))
            .noneMatch(own -> Subnet.parse(own.asText()).overlaps(lease.subnet()));
  }

  private static List<String> entries(Lease lease, String tunnel) {
    String base = lease.subnet().base();
    return List.of(
        "neigh %s lladdr %s dev %s".formatted(base, lease.mac(), tunnel),
        "fdb %s dst %s dev %s".formatted(lease.mac(), lease.host(), tunnel),
        "route %s via %s dev %s".formatted(lease.subnet(), base, tunnel));
  }

  private void ports() {
    Set<String> published =
        host.kernel().published().stream()
            .map(port -> port.replaceAll(" -> .*", ""))
            .collect(Collectors.toSet());
    found.each(
        "a published port is not in nft: ",
        host.docker().ports().stream()
            .filter(port -> leadsIn(port.container()))
            .filter(port -> !published.contains(port.protocol() + " " + port.hostPort()))
            .map(port -> port.toString()));
    Set<String> ours =
        host.docker().endpoints().stream().map(Endpoint::address).collect(Collectors.toSet());
    found.each(
        "a published port leads nowhere: ",
        host.kernel().published().stream()
            .filter(port -> !ours.contains(port.replaceAll(".* -> (.*):.*", "$1"))));
  }

  /** Docker leads ports to a container by a network that is not internal, and to no other. */
  private boolean leadsIn(String container) {
    return host.docker()
        .of(container)
        .map(endpoint -> host.journal().vlanOf(endpoint.network()).orElse(""))
        .anyMatch(vlan ->
            !host.journal()
                .table("links")
                .getOrDefault(vlan, MissingNode.getInstance())
                .path("internal")
                .asBoolean());
  }

  private static Subnet range(JsonNode vlan) {
    return Subnet.parse(vlan.path("config").path("layout").path("range").asText());
  }

  private static String tunnel(JsonNode vlan) {
    String vni = vlan.path("config").path("backend").path("vni").asText();
    return (vni.length() > 7 ? "flann." : "flannel.") + vni;
  }

  private static String gateway(Subnet lease) {
    int last = Integer.parseInt(lease.base().replaceAll(".*\\.", "")) + 1;
    return lease.base().replaceAll("[0-9]+$", "") + last + "/" + lease.length();
  }
}
