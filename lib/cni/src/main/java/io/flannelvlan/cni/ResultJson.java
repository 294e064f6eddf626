package io.flannelvlan.cni;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.flannelvlan.cni.CniApi.Attached;
import io.flannelvlan.cni.CniApi.Expected;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The result of an ADD, in the form of each version: until 0.4.0 an address tells its family, from
 * 1.1.0 a link tells its MTU. A result of the plugin before ours in a chain stays, ours behind it.
 */
final class ResultJson {

  private static final String ANYWHERE = "0.0.0.0/0";

  private final SpecVersion version;
  private final ObjectNode root;

  private ResultJson(SpecVersion version, Optional<JsonNode> previous) {
    this.version = version;
    this.root =
        previous
            .filter(ObjectNode.class::isInstance)
            .map(result -> ((ObjectNode) result).deepCopy())
            .orElseGet(JsonNodeFactory.instance::objectNode);
    root.put("cniVersion", version.toString());
  }

  static String of(Conf conf, Path netns, List<Attached> links) {
    ResultJson result = new ResultJson(conf.version(), conf.previous());
    links.forEach(link -> result.add(link, netns));
    if (conf.dns().isPresent() || !result.root.has("dns")) {
      result.root.set("dns", conf.dns().orElseGet(JsonNodeFactory.instance::objectNode));
    }
    return result.root.toString();
  }

  private void add(Attached link, Path netns) {
    ArrayNode interfaces = root.withArray("/interfaces");
    ObjectNode host = interfaces.addObject();
    host.put("name", link.hostLink()).put("mac", link.hostMac().toString());
    ObjectNode inside = interfaces.addObject();
    inside.put("name", link.ifname()).put("mac", link.mac().toString());
    inside.put("sandbox", netns.toString());
    if (version.isSince(SpecVersion.V1_1_0)) {
      host.put("mtu", link.mtu());
      inside.put("mtu", link.mtu());
    }
    ObjectNode address = root.withArray("/ips").addObject();
    if (!version.isSince(SpecVersion.V1_0_0)) {
      address.put("version", "4");
    }
    address.put("interface", interfaces.size() - 1).put("address", link.address().toString());
    link.gateway().ifPresent(gateway -> address.put("gateway", gateway.toString()));
    ArrayNode routes = root.withArray("/routes");
    IpAddress bridge = link.address().subnet().at(1).address();
    routes.addObject().put("dst", link.range().toString()).put("gw", bridge.toString());
    link.gateway()
        .filter(_ -> link.first())
        .ifPresent(
            gateway -> routes.addObject().put("dst", ANYWHERE).put("gw", gateway.toString()));
  }

  /**
   * What a result says of links inside the sandbox.
   *
   * @throws CniException if it is no result
   */
  static List<Expected> expected(JsonNode result, Path netns) {
    List<Expected> all = new ArrayList<>();
    JsonNode interfaces = result.path("interfaces");
    for (int i = 0; i < interfaces.size(); i++) {
      JsonNode link = interfaces.get(i);
      if (!link.path("sandbox").asText("").equals(netns.toString())) {
        continue;
      }
      try {
        all.add(
            new Expected(
                link.path("name").asText(""),
                Optional.of(link.path("mac").asText(""))
                    .filter(mac -> !mac.isEmpty())
                    .map(MacAddress::parse),
                address(result.path("ips"), i)));
      } catch (IllegalArgumentException e) {
        throw new CniException(
            CniException.Code.UNDECODABLE, "\"prevResult\": " + e.getMessage(), e);
      }
    }
    return all;
  }

  private static Optional<InterfaceAddress> address(JsonNode addresses, int link) {
    for (JsonNode each : addresses) {
      if (each.path("interface").asInt(-1) == link) {
        return Optional.of(InterfaceAddress.parse(each.path("address").asText("")));
      }
    }
    return Optional.empty();
  }
}
