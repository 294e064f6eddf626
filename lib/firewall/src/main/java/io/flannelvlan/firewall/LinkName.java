package io.flannelvlan.firewall;

import java.util.regex.Pattern;

/** Which names of links may stand in rules. */
final class LinkName {

  /**
   * Quotes, blanks and line ends would break out of a script, and a last {@code *} (nft) or {@code
   * +} (iptables) would match other links too. 15 = IFNAMSIZ - 1.
   */
  private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_.:@=~-]{1,15}");

  private LinkName() {}

  /** A name, or the beginning of names and a {@code +}, as iptables takes it. */
  static String checkedForIptables(String pattern) {
    checked(pattern.endsWith("+") ? pattern.substring(0, pattern.length() - 1) : pattern);
    return pattern;
  }

  static boolean isPlain(String name) {
    return PLAIN.matcher(name).matches();
  }

  static String checked(String name) {
    if (!isPlain(name)) {
      throw new IllegalArgumentException(
          "a link named \"" + name + "\" cannot be named in firewall rules");
    }
    return name;
  }
}
