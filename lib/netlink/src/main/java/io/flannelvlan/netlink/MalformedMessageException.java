package io.flannelvlan.netlink;

/** Bytes that break netlink's framing: a length that is too small, or that leads past the end. */
public final class MalformedMessageException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  MalformedMessageException(String message) {
    super(message);
  }

  MalformedMessageException(String message, RuntimeException cause) {
    super(message, cause);
  }
}
