package io.flannelvlan.flannel;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A JSON object as Go reads it: names in any case, the last of equal names wins, null is absent,
 * unknown names are ignored, and a number is a whole number written as one.
 */
record JsonFields(JsonNode object) {

  private static final int LONGEST_QUOTE = 200;

  static final ObjectMapper MAPPER =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  static JsonFields parse(String text) {
    JsonNode node;
    try {
      node = MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "not JSON (" + e.getOriginalMessage() + "): " + quote(text), e);
    }
    if (!node.isObject()) {
      throw new IllegalArgumentException("not a JSON object: " + quote(text));
    }
    return new JsonFields(node);
  }

  static ObjectNode newObject() {
    return MAPPER.createObjectNode();
  }

  Optional<JsonNode> node(String name) {
    JsonNode last = null;
    for (Map.Entry<String, JsonNode> field : object.properties()) {
      if (field.getKey().equalsIgnoreCase(name)) {
        last = field.getValue();
      }
    }
    return Optional.ofNullable(last).filter(node -> !node.isNull());
  }

  Optional<JsonFields> fields(String name) {
    return node(name)
        .map(node -> {
          require(node.isObject(), name, "is not an object", node);
          return new JsonFields(node);
        });
  }

  Optional<String> text(String name) {
    return node(name)
        .map(node -> {
          require(node.isTextual(), name, "is not a string", node);
          return node.textValue();
        });
  }

  OptionalInt number(String name) {
    Optional<JsonNode> node = node(name);
    if (node.isEmpty()) {
      return OptionalInt.empty();
    }
    boolean whole = node.get().isIntegralNumber() && node.get().canConvertToInt();
    require(whole, name, "is not a whole number", node.get());
    return OptionalInt.of(node.get().intValue());
  }

  boolean flag(String name, boolean otherwise) {
    return node(name)
        .map(node -> {
          require(node.isBoolean(), name, "is neither true nor false", node);
          return node.booleanValue();
        })
        .orElse(otherwise);
  }

  static String quote(String text) {
    return text.length() <= LONGEST_QUOTE ? text : text.substring(0, LONGEST_QUOTE) + "…";
  }

  private static void require(boolean holds, String name, String fault, JsonNode found) {
    if (!holds) {
      throw new IllegalArgumentException(name + " " + fault + ": " + quote(found.toString()));
    }
  }
}
