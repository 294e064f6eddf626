package io.flannelvlan.dockerplugin;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One call as it came.
 *
 * @param path decoded, without the leading slash
 * @param parameters decoded, of the question mark's other side
 */
record HttpCall(String method, String path, Map<String, List<String>> parameters, Body body) {

  /** Not read yet. */
  interface Body {

    /** How long it says that it is, in bytes; -1 if it does not. */
    long announced();

    /**
     * Waits for it.
     *
     * @return its beginning, if it is longer than the limit; one byte more than that then
     * @throws IOException if it does not come to its end
     */
    byte[] read(int limit) throws IOException, InterruptedException;
  }

  /** The first one of that name. */
  Optional<String> parameter(String name) {
    return parameters.getOrDefault(name, List.of()).stream().findFirst();
  }
}
