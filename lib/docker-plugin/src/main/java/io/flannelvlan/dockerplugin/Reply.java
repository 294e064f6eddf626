package io.flannelvlan.dockerplugin;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * What goes back to dockerd: always a JSON object, since an empty 200 is an error to it.
 *
 * @param status 200; dockerd takes any other one, also of the 2xx, for a failure
 */
record Reply(int status, ObjectNode body) {

  private static final String CONTENT_TYPE = "application/vnd.docker.plugins.v1.2+json";

  static final int OK = 200;
  static final int BAD_REQUEST = 400;
  static final int NOT_FOUND = 404;
  static final int METHOD_NOT_ALLOWED = 405;
  static final int TOO_LARGE = 413;
  static final int FAILED = 500;

  static Reply ok(ObjectNode body) {
    return new Reply(OK, body);
  }

  /** dockerd reads {@code Err} of a network driver and {@code Error} of an IPAM driver. */
  static Reply error(int status, String sentence) {
    return new Reply(status, Json.object().put("Err", sentence).put("Error", sentence));
  }

  HttpAnswer http() {
    return new HttpAnswer(status, CONTENT_TYPE, body.toString());
  }
}
