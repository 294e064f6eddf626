package io.flannelvlan.cni;

import java.util.regex.Pattern;

/** What the specification lets names be, and the kernel. */
public final class Names {

  private static final Pattern IDENTIFIER = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]*");

  /**
   * What the kernel takes: up to 15 bytes, no slash, no blank, no colon; and no percent sign, since
   * it makes {@code br0} of {@code br%d}.
   */
  private static final Pattern LINK = Pattern.compile("[!-~&&[^/:%]]{1,15}");

  private Names() {}

  /** A container's id or a network's name. */
  static boolean isIdentifier(String text) {
    return IDENTIFIER.matcher(text).matches();
  }

  /** Whether a link can have that name. */
  public static boolean isLink(String text) {
    return LINK.matcher(text).matches() && !text.equals(".") && !text.equals("..");
  }

  static String requireLink(String text) {
    if (!isLink(text)) {
      throw new CniException(
          CniException.Code.INVALID_CONFIGURATION, "\"" + text + "\" is no name of a link");
    }
    return text;
  }
}
