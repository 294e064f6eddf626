package io.flannelvlan.dockerengine;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The engine's answers. Read member by member, since a list of containers may be large; what is not
 * asked for is skipped. Empty texts and null are Docker's words for "none".
 */
final class EngineJson {

  private final ObjectMapper json =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Named(@JsonProperty("Id") @Nullable String id) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Identity(@JsonProperty("ID") @Nullable String id) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Inspected(
      @JsonProperty("Id") @Nullable String id,
      @JsonProperty("Containers") @Nullable Map<String, Attached> containers,
      @JsonProperty("IPAM") @Nullable Ipam ipam) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Attached(
      @JsonProperty("EndpointID") @Nullable String endpoint,
      @JsonProperty("IPv4Address") @Nullable String address) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Ipam(@JsonProperty("Config") @Nullable List<IpamConfig> config) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record IpamConfig(
      @JsonProperty("AuxiliaryAddresses") @Nullable Map<String, String> auxiliary) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Listed(@JsonProperty("NetworkSettings") @Nullable Settings settings) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Settings(@JsonProperty("Networks") @Nullable Map<String, Connected> networks) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Connected(
      @JsonProperty("NetworkID") @Nullable String network,
      @JsonProperty("EndpointID") @Nullable String endpoint,
      @JsonProperty("IPAddress") @Nullable String address) {}

  /** {@code GET /info}: who the engine is. */
  String engineId(InputStream answer) throws IOException {
    return text(read(answer, Identity.class).id())
        .orElseThrow(() -> new IOException("it names no ID"));
  }

  /** {@code GET /networks}. */
  Set<String> networkIds(InputStream answer) throws IOException {
    Set<String> ids = new HashSet<>();
    for (Named network : list(answer, Named[].class)) {
      ids.add(text(network.id()).orElseThrow(() -> new IOException("a network has no Id")));
    }
    return ids;
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
              text(attached.address()).map(a -> InterfaceAddress.parse(a).address())));
    }
    return new EngineNetwork(id, attachments, auxiliary(network.ipam()));
  }

  private static Set<IpAddress> auxiliary(@Nullable Ipam ipam) {
    Set<IpAddress> all = new HashSet<>();
    if (ipam != null && ipam.config() != null) {
      for (IpamConfig config : ipam.config()) {
        if (config.auxiliary() != null) {
          config.auxiliary().values().forEach(address -> all.add(IpAddress.parse(address)));
        }
      }
    }
    return all;
  }

  /** {@code GET /containers/json?all=true}: what all containers are attached to. */
  List<Attachment> attachments(InputStream answer) throws IOException {
    List<Attachment> all = new ArrayList<>();
    for (Listed container : list(answer, Listed[].class)) {
      if (container.settings() == null || container.settings().networks() == null) {
        continue;
      }
      for (Connected connected : container.settings().networks().values()) {
        if (connected != null) {
          all.add(
              new Attachment(
                  Objects.requireNonNullElse(connected.network(), ""),
                  text(connected.endpoint()),
                  text(connected.address()).map(IpAddress::parse)));
        }
      }
    }
    return all;
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
