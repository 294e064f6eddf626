package io.flannelvlan.etcdserver;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Why an etcd ended, out of what it wrote: a JSON line per event, each with its time and some with
 * a stack trace, or Go's own words when it panics.
 */
final class EtcdWords {

  private static final Pattern LEVEL = Pattern.compile("\"level\":\"(fatal|panic|error)\"");
  private static final Pattern MESSAGE = string("msg");
  private static final Pattern ERROR = string("error");
  private static final Pattern PANIC = Pattern.compile("(panic|fatal error): (.*)");

  /** Of etcd 3.4 and 3.5 alike, by an etcd that is older than the data it was given. */
  private static final Pattern NEWER = string("determined-cluster-version");

  private String last = "it gave no reason";
  private String worst = "";
  private Optional<EtcdVersion> newerData = Optional.empty();

  private static Pattern string(String name) {
    return Pattern.compile("\"" + name + "\":\"((?:[^\"\\\\]|\\\\.)*)\"");
  }

  void hear(String line) {
    if (!line.isBlank() && !line.startsWith("{")) {
      last = line.strip();
    }
    Matcher panic = PANIC.matcher(line);
    if (panic.matches()) {
      worst = panic.group(2);
    } else if (LEVEL.matcher(line).find()) {
      worst = find(MESSAGE, line).orElse(line) + find(ERROR, line).map(e -> ": " + e).orElse("");
    }
    newerData = newerData.or(() -> find(NEWER, line).flatMap(EtcdVersion::parse));
  }

  /** Without what is another one each time. */
  String reason() {
    return worst.isEmpty() ? last : worst;
  }

  /** Which etcd wrote the data, if that is what it ended for. */
  Optional<EtcdVersion> newerData() {
    return newerData;
  }

  private static Optional<String> find(Pattern pattern, String line) {
    Matcher found = pattern.matcher(line);
    return found.find() ? Optional.of(found.group(1)) : Optional.empty();
  }
}
