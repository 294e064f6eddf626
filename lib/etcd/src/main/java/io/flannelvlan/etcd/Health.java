package io.flannelvlan.etcd;

/**
 * How etcd did lately, for callers that would rather skip a call than wait for its deadline.
 *
 * @param reachable the last thing heard was an answer; false until the first one
 * @param lastSuccess {@link System#nanoTime} of the last answer, 0 for never
 * @param lastFailure {@link System#nanoTime} of the last failure, 0 for never
 * @param reason what the last failure said, empty if there was none
 */
public record Health(boolean reachable, long lastSuccess, long lastFailure, String reason) {

  static final Health UNKNOWN = new Health(false, 0, 0, "");

  /** True if the last thing heard was a failure; unlike "not reachable", false before any call. */
  boolean isAway() {
    return !reachable && lastFailure != 0;
  }

  Health succeeded(long now) {
    return new Health(true, now, lastFailure, reason);
  }

  Health failed(long now, String why) {
    return new Health(false, lastSuccess, now, why);
  }
}
