package io.flannelvlan.firewall;

/**
 * The firewall or the host's port space refused; the text says what was tried and, in its words,
 * why.
 */
public final class FirewallException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  FirewallException(String message) {
    super(message);
  }

  FirewallException(String message, Throwable cause) {
    super(message, cause);
  }
}
