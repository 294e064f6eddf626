package io.flannelvlan.dockerplugin;

import java.io.IOException;
import java.util.concurrent.Semaphore;

/**
 * Reads bodies within bounds.
 *
 * <p>A large body may grow tenfold while it is read. One of them at a time fits into the daemon's
 * heap, many at once would not; only few calls, those that publish thousands of ports, have one.
 */
final class Intake {

  private static final int LARGE = 1 << 16;

  private final Routes routes;
  private final int limit;
  private final Semaphore oneLarge = new Semaphore(1, true);

  Intake(Routes routes, int limit) {
    this.routes = routes;
    this.limit = limit;
  }

  /** Reads the call and does it. */
  Reply answer(String verb, HttpCall.Body body) {
    long announced = body.announced();
    if (announced > limit) {
      return tooLarge(verb);
    }
    try {
      // A chunked body announces nothing; dockerd sends none.
      boolean large = announced < 0 || announced > LARGE;
      return (large ? readLarge(verb, body) : read(verb, body)).perform();
    } catch (IOException e) {
      return Reply.error(
          Reply.BAD_REQUEST,
          Malformed.oneLine("the body of " + verb + " did not come to its end: " + e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Reply.error(Reply.FAILED, "flannelvlan is stopping; try " + verb + " again");
    }
  }

  private Routes.Call readLarge(String verb, HttpCall.Body body)
      throws IOException, InterruptedException {
    oneLarge.acquire();
    try {
      return read(verb, body);
    } finally {
      oneLarge.release();
    }
  }

  private Routes.Call read(String verb, HttpCall.Body body)
      throws IOException, InterruptedException {
    byte[] bytes = body.read(limit);
    return bytes.length > limit ? () -> tooLarge(verb) : routes.read(verb, bytes);
  }

  private Reply tooLarge(String verb) {
    return Reply.error(
        Reply.TOO_LARGE, "the body of " + verb + " has more than " + limit + " bytes");
  }
}
