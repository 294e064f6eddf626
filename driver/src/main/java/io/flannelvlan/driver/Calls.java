package io.flannelvlan.driver;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * When dockerd last spoke of an endpoint or a network, on a clock that is never put right: what is
 * spoken of is not given up.
 */
final class Calls {

  private final Supplier<Duration> uptime;
  private final Map<String, Duration> last = new ConcurrentHashMap<>();

  Calls(Supplier<Duration> uptime) {
    this.uptime = uptime;
  }

  /** The time since some fixed moment. */
  static Duration uptime() {
    return Duration.ofNanos(System.nanoTime());
  }

  Duration now() {
    return uptime.get();
  }

  void about(String id) {
    last.put(id, now());
  }

  /** Whether a call about this object came at that moment or later. */
  boolean since(String id, Duration moment) {
    Duration call = last.get(id);
    return call != null && call.compareTo(moment) >= 0;
  }

  /** Forgets calls that nobody will ask for. */
  void forgetBefore(Duration moment) {
    last.values().removeIf(call -> call.compareTo(moment) < 0);
  }
}
