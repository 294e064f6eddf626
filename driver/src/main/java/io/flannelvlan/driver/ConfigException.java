package io.flannelvlan.driver;

/** A setting that can't be meant: the message names it and says what it may be. */
final class ConfigException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  ConfigException(String message) {
    super(message);
  }
}
