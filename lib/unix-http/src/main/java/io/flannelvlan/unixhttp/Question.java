package io.flannelvlan.unixhttp;

import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * One request.
 *
 * @param path begins with a slash; ASCII
 * @param json the body; empty for none
 * @param deadline for the whole answer
 */
public record Question(String method, String path, String json, Duration deadline) {

  public static Question get(String path, Duration deadline) {
    return new Question("GET", path, "", deadline);
  }

  public static Question post(String path, String json, Duration deadline) {
    return new Question("POST", path, json, deadline);
  }

  public static Question delete(String path, Duration deadline) {
    return new Question("DELETE", path, "", deadline);
  }

  /** As it is sent. */
  byte[] bytes() {
    byte[] body = json.getBytes(StandardCharsets.UTF_8);
    String type =
        body.length == 0
            ? ""
            : "Content-Type: application/json\r\nContent-Length: " + body.length + "\r\n";
    return (method + " " + path + " HTTP/1.0\r\nHost: localhost\r\n" + type + "\r\n" + json)
        .getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public String toString() {
    return method + " " + path;
  }
}
