package io.flannelvlan.dockerplugin;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * One JSON object of a request, read member by member, as Go would read it into a struct.
 *
 * <p>Members are found whatever the case of their names; unknown ones are never looked at; {@code
 * null}, absent and, for texts, empty are one. A {@link Malformed} says where in the body it is.
 */
final class Fields {

  /**
   * A body is at most a megabyte, but a megabyte of <code>{},{},…</code> would still become a tree
   * of fifty. The longest real bodies publish thousands of ports, at 13 tokens each, twice.
   */
  private static final StreamReadConstraints BOUNDS =
      StreamReadConstraints.builder()
          .maxNestingDepth(32)
          .maxTokenCount(250_000)
          .maxStringLength(65_536)
          .maxNameLength(1_024)
          .maxNumberLength(32)
          .build();

  private static final ObjectMapper JSON = mapper();

  private final JsonNode object;
  private final String path;

  private Fields(JsonNode object, String path) {
    this.object = object;
    this.path = path;
  }

  /** Reads a body that must be one JSON object. */
  static Fields parse(byte[] body) {
    JsonNode root = tree(body);
    if (!(root instanceof ObjectNode object)) {
      throw new Malformed("the body is " + kind(root) + "; a JSON object is needed");
    }
    return new Fields(object, "");
  }

  private static JsonNode tree(byte[] body) {
    try (JsonParser parser = JSON.createParser(body)) {
      // dockerd's retry after a cut connection sends an empty body. Taken for a request with all
      // members empty it would be a wrong one.
      if (parser.nextToken() == null) {
        throw new Malformed("the body is empty; a JSON object is needed");
      }
      JsonNode root = JSON.readTree(parser);
      if (parser.nextToken() != null) {
        throw new Malformed("the body is no JSON: more follows after its value");
      }
      return root;
    } catch (JsonProcessingException e) {
      String where = e.getLocation() == null ? "" : " at byte " + e.getLocation().getByteOffset();
      throw new Malformed("the body is no JSON" + where + ": " + e.getOriginalMessage());
    } catch (IOException e) {
      // Bytes that are no text in the encoding that the first of them announce.
      throw new Malformed("the body is no JSON: " + e.getMessage());
    }
  }

  private static ObjectMapper mapper() {
    ObjectMapper mapper =
        JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();
    mapper.getFactory().setStreamReadConstraints(BOUNDS);
    return mapper;
  }

  /** A text, empty if it is absent. */
  String text(String name) {
    Optional<JsonNode> found = find(name);
    if (found.isEmpty()) {
      return "";
    }
    if (!found.get().isTextual()) {
      throw wrong(name, found.get(), "a text");
    }
    return found.get().textValue();
  }

  /** A text that must be there. */
  String required(String name) {
    String text = text(name);
    if (text.isEmpty()) {
      throw new Malformed(path + name + " is missing");
    }
    if (text.chars().anyMatch(Character::isISOControl)) {
      throw new Malformed(path + name + " has control characters: \"" + text + "\"");
    }
    return text;
  }

  /** A value that must be there. */
  <T> T required(String name, Function<String, T> parse) {
    return parsed(name, required(name), parse);
  }

  <T> Optional<T> optional(String name, Function<String, T> parse) {
    return Optional.of(text(name)).filter(t -> !t.isEmpty()).map(t -> parsed(name, t, parse));
  }

  /** A truth value, or what stands for it where nothing is said. */
  boolean flag(String name, boolean absent) {
    Optional<JsonNode> found = find(name);
    if (found.isEmpty()) {
      return absent;
    }
    if (!found.get().isBoolean()) {
      throw wrong(name, found.get(), "true or false");
    }
    return found.get().booleanValue();
  }

  /** A whole number, 0 if it is absent. */
  int number(String name) {
    Optional<JsonNode> found = find(name);
    if (found.isEmpty()) {
      return 0;
    }
    if (!found.get().isIntegralNumber() || !found.get().canConvertToInt()) {
      throw wrong(name, found.get(), "a whole number");
    }
    return found.get().intValue();
  }

  /** An object, without any member if it is absent. */
  Fields object(String name) {
    return new Fields(objectNode(name), path + name + ".");
  }

  /** A list of objects, empty if it is absent. */
  <T> List<T> list(String name, Function<Fields, T> read) {
    Optional<JsonNode> found = find(name);
    if (found.isEmpty()) {
      return List.of();
    }
    if (!found.get().isArray()) {
      throw wrong(name, found.get(), "a list");
    }
    List<T> list = new ArrayList<>();
    for (JsonNode element : found.get()) {
      String at = name + "[" + list.size() + "]";
      if (!element.isObject()) {
        throw wrong(at, element, "an object");
      }
      list.add(checked(at, () -> read.apply(new Fields(element, path + at + "."))));
    }
    return list;
  }

  /** A map of texts; a value of another kind becomes its JSON, {@code null} an empty text. */
  Map<String, String> texts(String name) {
    Map<String, String> texts = new HashMap<>();
    for (Map.Entry<String, JsonNode> entry : objectNode(name).properties()) {
      JsonNode value = entry.getValue();
      texts.put(entry.getKey(), value.isContainerNode() ? value.toString() : value.asText(""));
    }
    return texts;
  }

  /** A map whose values are all parsed. */
  <T> Map<String, T> values(String name, Function<String, T> parse) {
    Map<String, T> values = new HashMap<>();
    for (Map.Entry<String, JsonNode> entry : objectNode(name).properties()) {
      String member = name + "." + entry.getKey();
      if (!entry.getValue().isTextual()) {
        throw wrong(member, entry.getValue(), "a text");
      }
      values.put(entry.getKey(), parsed(member, entry.getValue().textValue(), parse));
    }
    return values;
  }

  /** Makes a value of what was read; what the value refuses is told with its place. */
  private <T> T checked(String name, Supplier<T> make) {
    try {
      return make.get();
    } catch (IllegalArgumentException e) {
      throw new Malformed(path + name + ": " + e.getMessage());
    }
  }

  private <T> T parsed(String name, String text, Function<String, T> parse) {
    return checked(name, () -> parse.apply(text));
  }

  private JsonNode objectNode(String name) {
    JsonNode node = find(name).orElseGet(JSON::createObjectNode);
    if (!node.isObject()) {
      throw wrong(name, node, "an object");
    }
    return node;
  }

  private Optional<JsonNode> find(String name) {
    JsonNode found = null;
    for (Map.Entry<String, JsonNode> entry : object.properties()) {
      if (entry.getKey().equalsIgnoreCase(name)) {
        if (found != null) {
          throw new Malformed(path + name + " is there twice");
        }
        found = entry.getValue();
      }
    }
    return Optional.ofNullable(found).filter(node -> !node.isNull());
  }

  private Malformed wrong(String name, JsonNode node, String wanted) {
    return new Malformed(path + name + " is " + kind(node) + "; " + wanted + " is needed");
  }

  private static String kind(JsonNode node) {
    return switch (node.getNodeType()) {
      case ARRAY -> "a list";
      case OBJECT -> "an object";
      case STRING -> "a text";
      case NUMBER -> "the number " + node;
      case BOOLEAN -> node.toString();
      case NULL -> "null";
      case BINARY, MISSING, POJO -> "nothing";
    };
  }
}
