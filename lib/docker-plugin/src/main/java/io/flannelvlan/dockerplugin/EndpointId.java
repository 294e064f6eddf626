package io.flannelvlan.dockerplugin;

/**
 * Docker's id of an endpoint: 64 hex digits, new for every attachment, also when a container
 * restarts.
 *
 * <p>Only letters and digits are let in, so that an id is safe in a file's or a link's name.
 */
public record EndpointId(String text) {

  public EndpointId {
    if (!NetworkId.LETTERS_AND_DIGITS.matcher(text).matches()) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is no id; an id has 1 to 64 letters and digits");
    }
  }

  @Override
  public String toString() {
    return text;
  }
}
