package io.flannelvlan.tests.invariants;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.flannelvlan.tests.lab.LabException;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** What tools print with {@code -j}, and what stands in etcd and in the journal. */
final class Json {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private Json() {}

  static JsonNode read(String text) {
    try {
      return MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new LabException("not JSON: " + text, e);
    }
  }

  /** A value that somebody else wrote; missing if it is no JSON. */
  static JsonNode tryRead(String text) {
    try {
      return MAPPER.readTree(text);
    } catch (JsonProcessingException notJson) {
      return MissingNode.getInstance();
    }
  }

  static Stream<JsonNode> elements(JsonNode array) {
    return StreamSupport.stream(Spliterators.spliterator(array.iterator(), array.size(), 0), false);
  }
}
