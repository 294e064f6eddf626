package io.flannelvlan.etcd;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Watch;
import io.etcd.jetcd.options.WatchOption;
import io.etcd.jetcd.watch.WatchEvent;
import io.etcd.jetcd.watch.WatchResponse;
import io.flannelvlan.etcd.EtcdException.Kind;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * One unbroken stream of changes; its first trouble is its end.
 *
 * <p>The client library would resume a broken stream by itself, from the revision that etcd named
 * when the stream was opened rather than from the last change it delivered, and so could skip some.
 */
final class WatchStream implements AutoCloseable {

  private sealed interface Signal {
    record Events(List<WatchEvent> events) implements Signal {}

    record Broken(EtcdException reason) implements Signal {}
  }

  private final BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
  private final Watch.Watcher watcher;

  WatchStream(Watch watch, ByteSequence prefix, long fromRevision) {
    WatchOption option =
        WatchOption.builder()
            .isPrefix(true)
            .withRevision(fromRevision)
            .withRequireLeader(true)
            .build();
    // The callbacks only queue: they hold the client library's lock.
    Watch.Listener callbacks =
        Watch.listener(this::events, this::failed, () -> broken("the stream was closed"));
    try {
      this.watcher = watch.watch(prefix, option, callbacks);
    } catch (io.etcd.jetcd.common.exception.EtcdException e) {
      // Of a client that was replaced since it was asked for its watches.
      throw broken(e);
    }
  }

  /**
   * Waits for changes and applies all that have arrived.
   *
   * @return the revision that {@code entries} now show; empty if nothing came for so long
   * @throws EtcdException once the stream is broken
   */
  OptionalLong applyNext(SortedMap<String, KeyValue> entries, Duration longest)
      throws InterruptedException {
    Signal first = signals.poll(longest.toNanos(), TimeUnit.NANOSECONDS);
    if (first == null) {
      return OptionalLong.empty();
    }
    long revision = apply(first, entries);
    for (Signal more = signals.poll(); more != null; more = signals.poll()) {
      revision = Math.max(revision, apply(more, entries));
    }
    return OptionalLong.of(revision);
  }

  /** Ends the stream from outside, for a doubt that the stream itself does not see. */
  void broken(String why) {
    signals.add(new Signal.Broken(new EtcdException(Kind.UNAVAILABLE, "watch: " + why)));
  }

  @Override
  public void close() {
    watcher.close();
  }

  private void events(WatchResponse response) {
    List<WatchEvent> events = response.getEvents();
    if (!events.isEmpty()) {
      signals.add(new Signal.Events(events));
    }
  }

  private void failed(Throwable thrown) {
    signals.add(new Signal.Broken(broken(thrown)));
  }

  private static EtcdException broken(Throwable thrown) {
    Failure failure = Failure.of(thrown);
    return new EtcdException(failure.kind(), "watch: " + failure.words(), thrown);
  }

  private static long apply(Signal signal, SortedMap<String, KeyValue> entries) {
    return switch (signal) {
      case Signal.Broken broken -> throw broken.reason();
      case Signal.Events batch -> {
        long revision = 0;
        for (WatchEvent event : batch.events()) {
          io.etcd.jetcd.KeyValue kv = event.getKeyValue();
          revision = Math.max(revision, kv.getModRevision());
          switch (event.getEventType()) {
            case PUT -> {
              KeyValue put = Wire.keyValue(kv);
              entries.put(put.key(), put);
            }
            case DELETE -> entries.remove(kv.getKey().toString(StandardCharsets.UTF_8));
            case UNRECOGNIZED ->
                throw new EtcdException(Kind.OTHER, "watch: an event of an unknown type");
          }
        }
        yield revision;
      }
    };
  }
}
