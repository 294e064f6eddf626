package io.flannelvlan.dockerplugin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * One verb as a codec: first a body becomes a deed, then the deed is done and becomes a reply.
 *
 * <p>Two steps, so that a malformed body is told at once, whether or not {@code A} is ready.
 *
 * @param <A> who does it
 */
@FunctionalInterface
interface Verb<A> {

  /**
   * Reads the body.
   *
   * @throws Malformed if it is none for this verb
   */
  Function<A, ObjectNode> read(Fields body);

  static <A, Q> Verb<A> of(Function<Fields, Q> decode, BiFunction<A, Q, ObjectNode> act) {
    return body -> {
      Q request = decode.apply(body);
      return api -> act.apply(api, request);
    };
  }

  /** One that is answered with nothing but that it was done. */
  static <A, Q> Verb<A> quiet(Function<Fields, Q> decode, BiConsumer<A, Q> consume) {
    return of(
        decode,
        (api, request) -> {
          consume.accept(api, request);
          return Json.object();
        });
  }
}
