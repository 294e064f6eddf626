package io.flannelvlan.unixhttp;

import java.io.IOException;

/** There is no daemon at the socket: nothing was asked, and may be asked again. */
public final class NobodyListens extends IOException {

  private static final long serialVersionUID = 1L;

  NobodyListens(IOException cause) {
    super(cause.getMessage(), cause);
  }
}
