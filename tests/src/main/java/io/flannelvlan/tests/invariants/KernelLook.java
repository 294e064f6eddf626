package io.flannelvlan.tests.invariants;

import com.fasterxml.jackson.databind.JsonNode;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What stands in a host's kernel.
 *
 * @param addresses such as "fvbr.2 10.2.20.1/24"
 * @param labelled those of them that say that they are ours, as on a bridge of the user's
 * @param peers what leads to other hosts, as {@code ip} and {@code bridge} would be told
 * @param published such as "tcp 8080 -> 10.2.20.5:80"
 */
record KernelLook(
    List<Link> links,
    List<String> addresses,
    List<String> labelled,
    List<String> peers,
    List<String> published) {

  /**
   * A link of ours.
   *
   * @param group by which a bridge that VLANs share knows whose port it is
   */
  record Link(
      String name, String mac, String bridge, Optional<Integer> vni, boolean up, String group) {
    boolean isVeth() {
      return name.matches("f[vc][0-9a-f]{12}");
    }
  }

  static KernelLook at(Host host) {
    KernelLook look =
        new KernelLook(
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>());
    json(host, "ip -j -d link").forEach(look::addLink);
    json(host, "ip -j -4 address").forEach(look::addAddresses);
    json(host, "ip -j -4 route show table all").forEach(look::addRoute);
    json(host, "ip -j -4 neigh show nud permanent").forEach(look::addNeighbour);
    json(host, "bridge -j fdb show").forEach(look::addFdb);
    Result table = host.in("nft", "-j", "list", "table", "inet", "flannelvlan");
    if (table.ok()) {
      Json.read(table.out()).path("nftables").forEach(part -> look.addPorts(part.path("map")));
    }
    return look;
  }

  /** The same where nobody takes the container's ends into a sandbox. */
  static KernelLook withoutDocker(Host host) {
    KernelLook look = at(host);
    look.links.removeIf(link -> link.name().startsWith("fc"));
    return look;
  }

  Stream<Link> veths() {
    return links.stream().filter(Link::isVeth);
  }

  Optional<Link> tunnel(int vni) {
    return links.stream().filter(link -> link.vni().equals(Optional.of(vni))).findFirst();
  }

  private static JsonNode json(Host host, String tool) {
    String out = host.in(tool.split(" ", -1)).orThrow().text();
    return Json.read(out.isEmpty() ? "[]" : out);
  }

  private void addLink(JsonNode link) {
    String name = link.path("ifname").asText();
    boolean ours =
        link.path("ifalias").asText().startsWith("flannelvlan ")
            || name.matches("f[vc][0-9a-f]{12}");
    if (ours) {
      JsonNode vni = link.path("linkinfo").path("info_data").path("id");
      links.add(
          new Link(
              name,
              link.path("address").asText(),
              link.path("master").asText(""),
              vni.isInt() ? Optional.of(vni.asInt()) : Optional.empty(),
              Json.elements(link.path("flags")).anyMatch(flag -> flag.asText().equals("UP")),
              link.path("group").asText()));
    }
  }

  private void addAddresses(JsonNode link) {
    for (JsonNode address : link.path("addr_info")) {
      if (address.has("local")) {
        String length = address.path("prefixlen").asText();
        String text =
            link.path("ifname").asText() + " " + address.path("local").asText() + "/" + length;
        addresses.add(text);
        if (address.path("label").asText().endsWith(":fv")) {
          labelled.add(text);
        }
      }
    }
  }

  private void addRoute(JsonNode route) {
    if (route.path("protocol").asText().equals("241") && route.has("gateway")) {
      peers.add(
          "route %s via %s dev %s"
              .formatted(
                  route.path("dst").asText(),
                  route.path("gateway").asText(),
                  route.path("dev").asText()));
    }
  }

  private void addNeighbour(JsonNode neighbour) {
    peers.add(
        "neigh %s lladdr %s dev %s"
            .formatted(
                neighbour.path("dst").asText(),
                neighbour.path("lladdr").asText(),
                neighbour.path("dev").asText()));
  }

  private void addFdb(JsonNode entry) {
    if (entry.has("dst")) {
      peers.add(
          "fdb %s dst %s dev %s"
              .formatted(
                  entry.path("mac").asText(),
                  entry.path("dst").asText(),
                  entry.path("ifname").asText()));
    }
  }

  private void addPorts(JsonNode map) {
    if (map.path("name").asText().startsWith("published")) {
      for (JsonNode element : map.path("elem")) {
        JsonNode key = element.path(0).path("concat");
        JsonNode to = element.path(1).path("concat");
        int from = key.size() - 2; // the host's own address may stand before
        published.add(
            "%s %s -> %s:%s"
                .formatted(
                    key.path(from).asText(),
                    key.path(from + 1).asText(),
                    to.path(0).asText(),
                    to.path(1).asText()));
      }
    }
  }
}
