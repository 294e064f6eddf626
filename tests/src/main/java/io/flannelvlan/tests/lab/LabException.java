package io.flannelvlan.tests.lab;

/** The lab could not do what was asked; the message holds the tool's own words. */
public final class LabException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public LabException(String message) {
    super(message);
  }

  public LabException(String message, Throwable cause) {
    super(message, cause);
  }
}
