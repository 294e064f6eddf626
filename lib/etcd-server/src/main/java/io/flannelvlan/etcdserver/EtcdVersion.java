package io.flannelvlan.etcdserver;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which etcd.
 *
 * @param text as it calls itself, such as {@code 3.5.16}
 */
record EtcdVersion(int major, int minor, String text) {

  private static final Pattern SAID = Pattern.compile("etcd Version: (\\S+)");
  private static final Pattern TEXT = Pattern.compile("(\\d{1,6})\\.(\\d{1,6})(?:[.+~-]\\S*)?");

  /** Out of what {@code etcd --version} prints. */
  static Optional<EtcdVersion> said(String text) {
    Matcher said = SAID.matcher(text);
    return said.find() ? parse(said.group(1)) : Optional.empty();
  }

  static Optional<EtcdVersion> parse(String text) {
    Matcher numbers = TEXT.matcher(text);
    return numbers.matches()
        ? Optional.of(
            new EtcdVersion(
                Integer.parseInt(numbers.group(1)), Integer.parseInt(numbers.group(2)), text))
        : Optional.empty();
  }

  /**
   * Whether data of the other are refused by this one. etcd's own rule, which knows no third number
   * (membership.mustDetectDowngrade).
   */
  boolean isOlderThan(EtcdVersion other) {
    return major < other.major || (major == other.major && minor < other.minor);
  }

  /** What is enough to read its data. */
  String release() {
    return major + "." + minor;
  }

  @Override
  public String toString() {
    return text;
  }
}
