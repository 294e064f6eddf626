package io.flannelvlan.cni;

import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The versions of the specification that are spoken; older ones have another form of result. */
public enum SpecVersion {
  V0_3_1("0.3.1"),
  V0_4_0("0.4.0"),
  V1_0_0("1.0.0"),
  V1_1_0("1.1.0");

  private static final Pattern NAMED = Pattern.compile("\"cniVersion\"\\s*:\\s*\"([^\"]*)\"");

  private final String text;

  SpecVersion(String text) {
    this.text = text;
  }

  static Optional<SpecVersion> of(String text) {
    return Arrays.stream(values()).filter(version -> version.text.equals(text)).findFirst();
  }

  /** In which a configuration is answered, broken or not: the one that it names, or the newest. */
  public static SpecVersion ofAnswerTo(String conf) {
    Matcher named = NAMED.matcher(conf);
    return (named.find() ? of(named.group(1)) : Optional.<SpecVersion>empty())
        .orElse(values()[values().length - 1]);
  }

  /** What VERSION prints; needs neither a daemon nor a JSON library. */
  public static String answer(String conf) {
    return Arrays.stream(values())
        .map(version -> '"' + version.text + '"')
        .collect(
            Collectors.joining(
                ",", "{\"cniVersion\":\"" + ofAnswerTo(conf) + "\",\"supportedVersions\":[", "]}"));
  }

  boolean isSince(SpecVersion other) {
    return compareTo(other) >= 0;
  }

  @Override
  public String toString() {
    return text;
  }
}
