package io.flannelvlan.dockerengine;

/** The engine gave no answer that can be used. */
public final class EngineException extends RuntimeException {

  private static final long serialVersionUID = 1;

  EngineException(String message) {
    super(message);
  }

  EngineException(String message, Throwable cause) {
    super(message, cause);
  }
}
