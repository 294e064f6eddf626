package io.flannelvlan.tests.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Host;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A recorded conversation as dockerd would have had it with this plugin: with the pool ids,
 * gateways and addresses that this one gives. What is refused by design is not followed up.
 */
final class Replay {
  private static final Pattern CALL =
      Pattern.compile("\"path\": \"/([^\"]+)\".*\"body\": (.*), \"reply\": (.*)}");

  private final Host host;

  /** Of the recorded plugin, by what this one gave instead: 10.2.0.2/16 is 10.2.77.5/24. */
  private final Map<String, String> addresses = new HashMap<>();

  private final Map<String, String> gateways = new HashMap<>();
  private final Set<String> networks = new HashSet<>();
  private final Set<String> endpoints = new HashSet<>();
  private final List<String> refusals = new ArrayList<>();
  private int accepted;

  /** Between a refusal and the user's next command. */
  private boolean givenUp;

  Replay(Host host) {
    this.host = host;
  }

  int accepted() {
    return accepted;
  }

  List<String> refusals() {
    return refusals;
  }

  void play(String line) {
    Matcher call = CALL.matcher(line);
    if (!call.find()) {
      givenUp = false;
      return;
    }
    String verb = call.group(1);
    String body = call.group(2).equals("null") ? "" : adapted(call.group(2));
    if (givenUp && !verb.startsWith("Plugin.")) {
      return;
    }
    Wire.Reply reply = Wire.call(host, verb, body);
    if (isRefusedByDesign(verb, body)) {
      assertThat(reply.status()).as(verb + " " + body).isEqualTo(500);
      refusals.add(reply.body());
      givenUp = true;
    } else {
      assertThat(reply.ok()).as(verb + " " + body + ": " + reply.body()).isTrue();
      accepted++;
      follow(verb, body, call.group(3), reply.body());
    }
  }

  private String adapted(String body) {
    String text =
        body.replace("flanlocal", "flannelvlan")
            .replace("\"pool-", "\"flannelvlan/")
            .replace("{\"flannel\": \"1\"}", "{}");
    for (Map.Entry<String, String> gateway : gateways.entrySet()) {
      text = text.replace('"' + gateway.getKey() + '"', '"' + gateway.getValue() + '"');
      // An address that the user chose is chosen in this host's subnet.
      String chosen = Site.at(gateway.getKey(), 77);
      text = text.replace('"' + chosen + '"', '"' + Site.at(gateway.getValue(), 77) + '"');
    }
    for (Map.Entry<String, String> address : addresses.entrySet()) {
      text =
          text.replace('"' + address.getKey() + '"', '"' + address.getValue() + '"')
              .replace('"' + bare(address.getKey()) + '"', '"' + bare(address.getValue()) + '"');
    }
    return text;
  }

  private boolean isRefusedByDesign(String verb, String body) {
    return switch (verb) {
      case "IpamDriver.RequestPool" -> body.contains("\"V6\": true");
      case "IpamDriver.RequestAddress" ->
          addresses.values().stream().anyMatch(held -> body.contains('"' + bare(held) + '"'));
      case "NetworkDriver.CreateNetwork" -> body.contains("LocalDefault");
      case "NetworkDriver.CreateEndpoint" -> !networks.contains(text(body, "NetworkID"));
      case "NetworkDriver.Join", "NetworkDriver.ProgramExternalConnectivity" ->
          !endpoints.contains(text(body, "EndpointID"));
      default -> false;
    };
  }

  private void follow(String verb, String body, String recorded, String reply) {
    switch (verb) {
      case "IpamDriver.RequestPool" -> {
        String range = text(body, "Pool");
        gateways.put(
            range.replace(".0.0/16", ".0.1/16"), text(reply, "com.docker.network.gateway"));
      }
      case "IpamDriver.RequestAddress" -> {
        if (!body.contains("RequestAddressType")) {
          addresses.put(text(recorded, "Address"), text(reply, "Address"));
        }
      }
      case "IpamDriver.ReleaseAddress" ->
          addresses.values().removeIf(held -> bare(held).equals(text(body, "Address")));
      case "NetworkDriver.CreateNetwork" -> networks.add(text(body, "NetworkID"));
      case "NetworkDriver.CreateEndpoint" -> endpoints.add(text(body, "EndpointID"));
      case "NetworkDriver.Join" ->
          assertThat(host.in("ip", "link", "show", text(reply, "SrcName")).ok()).isTrue();
      case "NetworkDriver.DeleteEndpoint" -> endpoints.remove(text(body, "EndpointID"));
      default -> {}
    }
  }

  private static String bare(String address) {
    return address.substring(0, address.indexOf('/'));
  }

  private static String text(String json, String name) {
    Matcher member = Pattern.compile('"' + name + "\"\\s*:\\s*\"([^\"]*)\"").matcher(json);
    assertThat(member.find()).as(name + " in " + json).isTrue();
    return member.group(1);
  }
}
