package io.flannelvlan.dockerengine;

/** No answer that can be used, or none of the engine that was meant. */
public final class EngineException extends RuntimeException {

  private static final long serialVersionUID = 1;

  public EngineException(String message) {
    super(message);
  }

  EngineException(String message, Throwable cause) {
    super(message, cause);
  }
}
