package io.flannelvlan.dockerplugin;

import java.util.regex.Pattern;

/**
 * Docker's id of a network: 64 hex digits, or 25 letters and digits from a swarm.
 *
 * <p>Only letters and digits are let in, so that an id is safe in a file's or a link's name.
 */
public record NetworkId(String text) {

  static final Pattern LETTERS_AND_DIGITS = Pattern.compile("[0-9A-Za-z]{1,64}");

  public NetworkId {
    if (!LETTERS_AND_DIGITS.matcher(text).matches()) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is no id; an id has 1 to 64 letters and digits");
    }
  }

  @Override
  public String toString() {
    return text;
  }
}
