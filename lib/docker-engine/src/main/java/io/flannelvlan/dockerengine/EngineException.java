package io.flannelvlan.dockerengine;

import io.flannelvlan.unixhttp.NobodyListens;

/** No answer that can be used, or none of the engine that was meant. */
public final class EngineException extends RuntimeException {

  private static final long serialVersionUID = 1;

  public EngineException(String message) {
    super(message);
  }

  EngineException(String message, Throwable cause) {
    super(message, cause);
  }

  /** Whether no engine is at the socket, in place of one that does not answer, or not well. */
  public boolean isNobodyThere() {
    return getCause() instanceof NobodyListens;
  }
}
