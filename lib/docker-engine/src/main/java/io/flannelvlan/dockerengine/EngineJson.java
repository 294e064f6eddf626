package io.flannelvlan.dockerengine;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The engine's answers. Read member by member, since a list of containers may be large; what is not
 * asked for is skipped. Empty texts and null are Docker's words for "none".
 */
final class EngineJson {

  private final ObjectMapper json =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Named(
      @JsonProperty("Id") @Nullable String id,
      @JsonProperty("Name") @Nullable String name,
      @JsonProperty("Driver") @Nullable String driver,
      @JsonProperty("Internal") boolean internal,
      @JsonProperty("IPAM") @Nullable Ipam ipam,
      @JsonProperty("Options") @Nullable Map<String, String> options,
      @JsonProperty("Labels") @Nullable Map<String, String> labels) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Said(@JsonProperty("message") @Nullable String message) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Identity(@JsonProperty("ID") @Nullable String id) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Inspected(
      @JsonProperty("Id") @Nullable String id,
      @JsonProperty("Internal") boolean internal,
      @JsonProperty("EnableIPv6") boolean ipv6,
      @JsonProperty("Options") @Nullable Map<String, String> options,
      @JsonProperty("Containers") @Nullable Map<String, Attached> containers,
      @JsonProperty("IPAM") @Nullable Ipam ipam) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Attached(
      @JsonProperty("EndpointID") @Nullable String endpoint,
      @JsonProperty("MacAddress") @Nullable String mac,
      @JsonProperty("IPv4Address") @Nullable String address) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Ipam(
      @JsonProperty("Driver") @Nullable String driver,
      @JsonProperty("Options") @Nullable Map<String, String> options,
      @JsonProperty("Config") @Nullable List<IpamConfig> config) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record IpamConfig(
      @JsonProperty("Subnet") @Nullable String subnet,
      @JsonProperty("IPRange") @Nullable String ipRange,
      @JsonProperty("Gateway") @Nullable String gateway,
      @JsonProperty("AuxiliaryAddresses") @Nullable Map<String, String> auxiliary) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Listed(
      @JsonProperty("Id") @Nullable String id,
      @JsonProperty("NetworkSettings") @Nullable Settings settings) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Container(
      @JsonProperty("HostConfig") @Nullable HostConfig host,
      @JsonProperty("Config") @Nullable Config config) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Config(@JsonProperty("ExposedPorts") @Nullable Map<String, JsonNode> exposed) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record HostConfig(
      @JsonProperty("PortBindings") @Nullable Map<String, @Nullable List<Binding>> ports,
      @JsonProperty("PublishAllPorts") boolean all) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Binding(
      @JsonProperty("HostIp") @Nullable String hostIp,
      @JsonProperty("HostPort") @Nullable String hostPort) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Settings(@JsonProperty("Networks") @Nullable Map<String, Connected> networks) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Connected(
      @JsonProperty("NetworkID") @Nullable String network,
      @JsonProperty("EndpointID") @Nullable String endpoint,
      @JsonProperty("IPAddress") @Nullable String address,
      @JsonProperty("IPPrefixLen") int prefixLength,
      @JsonProperty("MacAddress") @Nullable String mac,
      @JsonProperty("GwPriority") int gatewayPriority) {}

  /** {@code GET /info}: who the engine is. */
  String engineId(InputStream answer) throws IOException {
    return text(read(answer, Identity.class).id())
        .orElseThrow(() -> new IOException("it names no ID"));
  }

  /** {@code POST /networks/ID/connect}. */
  String connect(NewAttachment attachment) {
    ObjectNode body = json.createObjectNode();
    body.put("Container", attachment.container());
    ObjectNode endpoint = body.putObject("EndpointConfig");
    attachment
        .address()
        .ifPresent(
            address -> endpoint.putObject("IPAMConfig").put("IPv4Address", address.toString()));
    return body.toString();
  }

  /** {@code POST /networks/ID/disconnect}. */
  String disconnect(String container) {
    return json.createObjectNode().put("Container", container).toString();
  }

  /** {@code GET /networks}. */
  List<ListedNetwork> networks(InputStream answer) throws IOException {
    List<ListedNetwork> all = new ArrayList<>();
    for (Named network : list(answer, Named[].class)) {
      String id = text(network.id()).orElseThrow(() -> new IOException("a network has no Id"));
      all.add(
          new ListedNetwork(
              id,
              text(network.name()).orElse(""),
              text(network.driver()).orElse(""),
              network.internal(),
              pools(network.ipam()).stream().map(NetworkSpec.Pool::subnet).toList(),
              Objects.requireNonNullElse(network.options(), Map.of()),
              Objects.requireNonNullElse(network.labels(), Map.of())));
    }
    return all;
  }

  /** {@code GET /networks/ID}. */
  EngineNetwork network(InputStream answer) throws IOException {
    Inspected network = read(answer, Inspected.class);
    String id = text(network.id()).orElseThrow(() -> new IOException("the network has no Id"));
    if (network.containers() == null) {
      // Empty is {}. Without the member it is another answer than the one that we know.
      throw new IOException("network " + id + " has no member Containers");
    }
    List<Attachment> attachments = new ArrayList<>();
    for (Attached attached : network.containers().values()) {
      attachments.add(
          new Attachment(
              id,
              text(attached.endpoint()),
              text(attached.address()).map(InterfaceAddress::parse),
              text(attached.mac()).map(MacAddress::parse)));
    }
    return new EngineNetwork(id, spec(network), attachments);
  }

  private static List<NetworkSpec.Pool> pools(@Nullable Ipam ipam) {
    if (ipam == null || ipam.config() == null) {
      return List.of();
    }
    return ipam.config().stream()
        .map(config ->
            new NetworkSpec.Pool(
                Objects.requireNonNullElse(config.subnet(), ""),
                text(config.ipRange()),
                text(config.gateway()),
                Objects.requireNonNullElse(config.auxiliary(), Map.of())))
        .toList();
  }

  private static NetworkSpec spec(Inspected network) {
    Ipam ipam = Objects.requireNonNullElse(network.ipam(), new Ipam(null, null, null));
    return new NetworkSpec(
        network.internal(),
        network.ipv6(),
        Objects.requireNonNullElse(network.options(), Map.of()),
        Objects.requireNonNullElse(ipam.driver(), ""),
        Objects.requireNonNullElse(ipam.options(), Map.of()),
        pools(ipam));
  }

  /** {@code GET /containers/json?all=true}: what all containers are attached to. */
  List<EngineContainer> containers(InputStream answer) throws IOException {
    List<EngineContainer> all = new ArrayList<>();
    for (Listed container : list(answer, Listed[].class)) {
      if (container.settings() == null || container.settings().networks() == null) {
        continue;
      }
      List<Attachment> attachments = new ArrayList<>();
      // By name, and before that by priority (since 28): as the engine itself goes through them.
      new TreeMap<>(container.settings().networks())
          .values().stream()
              .filter(Objects::nonNull)
              .sorted(Comparator.comparingInt(Connected::gatewayPriority).reversed())
              .forEach(connected -> attachments.add(attachment(connected)));
      String id = text(container.id()).orElseThrow(() -> new IOException("a container has no Id"));
      all.add(new EngineContainer(id, attachments));
    }
    return all;
  }

  private static Attachment attachment(Connected connected) {
    return new Attachment(
        Objects.requireNonNullElse(connected.network(), ""),
        text(connected.endpoint()),
        text(connected.address())
            .map(a -> InterfaceAddress.parse(a + "/" + connected.prefixLength())),
        text(connected.mac()).map(MacAddress::parse));
  }

  /** {@code GET /containers/ID/json}. */
  List<EnginePort> ports(InputStream answer) throws IOException {
    Container container = read(answer, Container.class);
    HostConfig host = container.host();
    if (host == null) {
      throw new IOException("a container has no HostConfig");
    }
    Map<String, @Nullable List<Binding>> bindings =
        Objects.requireNonNullElse(host.ports(), Map.<String, @Nullable List<Binding>>of());
    List<EnginePort> all = new ArrayList<>();
    Map<String, @Nullable List<Binding>> published = new TreeMap<>(bindings);
    if (host.all() && container.config() != null && container.config().exposed() != null) {
      for (String port : container.config().exposed().keySet()) {
        if (Objects.requireNonNullElse(published.get(port), List.of()).isEmpty()) {
          published.put(port, List.of(new Binding(null, null)));
        }
      }
    }
    for (Map.Entry<String, @Nullable List<Binding>> entry : published.entrySet()) {
      for (Binding binding : Objects.requireNonNullElse(entry.getValue(), List.<Binding>of())) {
        port(entry.getKey(), binding).ifPresent(all::add);
      }
    }
    return all;
  }

  /**
   * One of them; empty for one of IPv6.
   *
   * @param name such as {@code 80/tcp}
   */
  private static Optional<EnginePort> port(String name, Binding binding) {
    String ip = Objects.requireNonNullElse(binding.hostIp(), "");
    if (ip.contains(":")) {
      return Optional.empty();
    }
    String[] port = name.split("/", 2);
    String[] range = text(binding.hostPort()).orElse("0").split("-", 2);
    return Optional.of(
        new EnginePort(
            port.length == 2 ? port[1] : "tcp",
            Integer.parseInt(port[0]),
            text(ip).filter(a -> !a.equals("0.0.0.0")).map(IpAddress::parse),
            Integer.parseInt(range[0]),
            Integer.parseInt(range[range.length - 1])));
  }

  /** The body of {@code POST /networks/create}. */
  String create(NewNetwork network) {
    ObjectNode body =
        json.createObjectNode()
            .put("Name", network.name())
            // Before 25 an engine makes two networks of one name unless it is told not to.
            .put("CheckDuplicate", true)
            .put("Driver", network.driver())
            .put("Internal", network.internal());
    body.putObject("IPAM")
        .put("Driver", network.driver())
        .putArray("Config")
        .addObject()
        .put("Subnet", network.subnet());
    body.set("Options", json.valueToTree(network.options()));
    body.set("Labels", json.valueToTree(network.labels()));
    return body.toString();
  }

  /** Why the engine refused, in its own words; empty if it gave none. */
  Optional<String> refusal(InputStream answer) {
    try {
      return text(read(answer, Said.class).message());
    } catch (IOException _) {
      return Optional.empty();
    }
  }

  private <T> List<T> list(InputStream answer, Class<T[]> type) throws IOException {
    List<T> all = Arrays.asList(read(answer, type));
    if (all.contains(null)) {
      throw new IOException("null in a list");
    }
    return all;
  }

  private <T> T read(InputStream answer, Class<T> type) throws IOException {
    @Nullable T read = json.readValue(answer, type);
    if (read == null) {
      throw new IOException("null is no answer");
    }
    return read;
  }

  private static Optional<String> text(@Nullable String text) {
    return Optional.ofNullable(text).filter(t -> !t.isEmpty());
  }
}
