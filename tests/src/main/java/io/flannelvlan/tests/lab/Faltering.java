package io.flannelvlan.tests.lab;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** A daemon that answers for half a second, and for the next one does not, and so on. */
public final class Faltering {
  private static final int BEAT_MS = 500;

  private final Daemon daemon;
  private final AtomicInteger silences = new AtomicInteger();
  private Optional<Thread> clock = Optional.empty();
  private volatile boolean over;
  private volatile Optional<RuntimeException> failure = Optional.empty();

  public Faltering(Daemon daemon) {
    this.daemon = daemon;
  }

  public void begin() {
    over = false;
    clock = Optional.of(Thread.ofPlatform().daemon().name("faltering").start(this::run));
  }

  /** It answers as ever again; how many times it has fallen silent by now. */
  public int end() {
    over = true;
    clock.ifPresent(Faltering::join);
    failure.ifPresent(e -> {
      throw e;
    });
    return silences.get();
  }

  private void run() {
    try {
      while (!over) {
        daemon.freeze();
        silences.incrementAndGet();
        pause();
        daemon.thaw();
        pause();
      }
    } catch (RuntimeException e) {
      failure = Optional.of(e);
    }
  }

  private static void pause() {
    try {
      Thread.sleep(BEAT_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted while it faltered", e);
    }
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted while it ended to falter", e);
    }
  }
}
