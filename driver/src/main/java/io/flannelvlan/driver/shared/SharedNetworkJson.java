package io.flannelvlan.driver.shared;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.flannelvlan.net.Cidr;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The value of {@code /flannelvlan/networks/<vlan>}: one of
 *
 * <pre>
 * {"announced":"2026-11-23T20:00:00Z"}
 * {"generation":"5f0c…","range":"10.2.0.0/16","name":"vlan002","internal":false,"everywhere":true,
 *  "options":{"vni":"2"},"labels":{},"by":"198.51.100.11","since":"2026-11-23T20:00:00Z"}
 * {"removed":"5f0c…","done":false,"by":"198.51.100.11","since":"2026-11-24T08:00:00Z"}
 * </pre>
 */
final class SharedNetworkJson {

  private final ObjectMapper json = JsonMapper.builder().build();

  /** As it is read: all members of all three; which are there tells which one it is. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Value(
      @JsonProperty("announced") @Nullable String announced,
      @JsonProperty("removed") @Nullable String removed,
      @JsonProperty("done") @Nullable Boolean done,
      @JsonProperty("generation") @Nullable String generation,
      @JsonProperty("range") @Nullable String range,
      @JsonProperty("name") @Nullable String name,
      @JsonProperty("internal") @Nullable Boolean internal,
      @JsonProperty("everywhere") @Nullable Boolean everywhere,
      @JsonProperty("options") @Nullable Map<String, String> options,
      @JsonProperty("labels") @Nullable Map<String, String> labels,
      @JsonProperty("by") @Nullable String by,
      @JsonProperty("since") @Nullable String since) {}

  /** What is written has the members of these, in their order. */
  private record Announced(String announced) {}

  private record Removed(String removed, boolean done, String by, String since) {}

  private record Described(
      String generation,
      String range,
      String name,
      boolean internal,
      boolean everywhere,
      SortedMap<String, String> options,
      SortedMap<String, String> labels,
      String by,
      String since) {}

  SharedNetwork read(String text) {
    try {
      @Nullable Value value = json.readValue(text, Value.class);
      return value == null ? new SharedNetwork.Unreadable("it is null") : read(value);
    } catch (JsonProcessingException e) {
      return new SharedNetwork.Unreadable(e.getOriginalMessage());
    } catch (IllegalArgumentException | DateTimeParseException e) {
      return new SharedNetwork.Unreadable(String.valueOf(e.getMessage()));
    }
  }

  private static SharedNetwork read(Value value) {
    if (value.announced() != null) {
      return new SharedNetwork.Announced(Instant.parse(value.announced()));
    }
    String by = Objects.requireNonNullElse(value.by(), "unknown");
    Instant since = value.since() == null ? Instant.EPOCH : Instant.parse(value.since());
    if (value.removed() != null) {
      return new SharedNetwork.Removed(
          value.removed(), Boolean.TRUE.equals(value.done()), by, since);
    }
    return new SharedNetwork.Described(
        required("generation", value.generation()),
        Cidr.parse(required("range", value.range())),
        required("name", value.name()),
        Boolean.TRUE.equals(value.internal()),
        texts("options", value.options()),
        texts("labels", value.labels()),
        !Boolean.FALSE.equals(value.everywhere()),
        by,
        since);
  }

  private static Map<String, String> texts(String member, @Nullable Map<String, String> texts) {
    if (texts == null) {
      return Map.of();
    }
    if (texts.containsValue(null)) {
      throw new IllegalArgumentException("null in its " + member);
    }
    return texts;
  }

  private static String required(String member, @Nullable String text) {
    if (text == null || text.isEmpty()) {
      throw new IllegalArgumentException("it has no " + member);
    }
    return text;
  }

  String write(SharedNetwork network) {
    Record value =
        switch (network) {
          case SharedNetwork.Announced a -> new Announced(a.since().toString());
          case SharedNetwork.Removed r ->
              new Removed(r.generation(), r.done(), r.by(), r.since().toString());
          case SharedNetwork.Described d ->
              new Described(
                  d.generation(),
                  d.range().toString(),
                  d.name(),
                  d.internal(),
                  d.everywhere(),
                  new TreeMap<>(d.options()),
                  new TreeMap<>(d.labels()),
                  d.by(),
                  d.since().toString());
          case SharedNetwork.Unreadable u -> throw new IllegalArgumentException(u.reason());
        };
    try {
      return json.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
