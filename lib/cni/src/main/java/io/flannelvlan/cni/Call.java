package io.flannelvlan.cni;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/**
 * One call, as the executable hands it to the daemon: each variable as {@code NAME=value} with a
 * zero byte behind it, as in {@code /proc/PID/environ}; another zero byte; the configuration as it
 * came.
 */
public record Call(Map<String, String> variables, String conf) {

  private static final char END = '\0';

  public Call {
    variables = Map.copyOf(variables);
  }

  /** Reads what {@link #text} wrote; what is not whole becomes a call that asks for nothing. */
  public static Call parse(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.UTF_8);
    Map<String, String> variables = new TreeMap<>();
    int at = 0;
    for (int end = text.indexOf(END); end > at; end = text.indexOf(END, at)) {
      String pair = text.substring(at, end);
      int equals = pair.indexOf('=');
      if (equals > 0) {
        variables.put(pair.substring(0, equals), pair.substring(equals + 1));
      }
      at = end + 1;
    }
    return new Call(variables, text.substring(Math.min(at + 1, text.length())));
  }

  /** As it is sent. */
  public String text() {
    StringBuilder text = new StringBuilder();
    new TreeMap<>(variables)
        .forEach((name, value) -> text.append(name).append('=').append(value).append(END));
    return text.append(END).append(conf).toString();
  }
}
