package io.flannelvlan.journal;

/** The journal can't be read or written; the message names the file and says what to do. */
public final class JournalException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  JournalException(String message) {
    super(message);
  }

  JournalException(String message, Throwable cause) {
    super(message, cause);
  }
}
