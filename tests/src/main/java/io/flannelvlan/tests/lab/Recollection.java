package io.flannelvlan.tests.lab;

import java.time.Duration;

/**
 * That a plugin has back from Docker, etcd and the kernel what its state directory lost. It is
 * listened for from the making of this on, in the plugin's log.
 */
public final class Recollection {
  private static final String SAID = "nothing is missing from this host's records any more";
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Daemon plugin;
  private final long before;

  public Recollection(Host host) {
    this.plugin = host.plugin();
    this.before = count();
  }

  public void await() {
    Await.until(PATIENCE, () -> "not all is had back" + plugin.tail(), () -> count() > before);
  }

  private long count() {
    return plugin.log().lines().filter(line -> line.contains(SAID)).count();
  }
}
