package io.flannelvlan.flannel.host;

import io.flannelvlan.journal.JournalException;
import java.time.Duration;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes of one VLAN's peers what a restart would have to know; for one thread. */
final class PeersRecord {

  private static final Logger LOG = LoggerFactory.getLogger(PeersRecord.class);
  private static final Duration RETRY = Duration.ofSeconds(5);

  /** Nothing is to be written. */
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(10);

  private final String vlan;
  private final Consumer<Peers> journal;
  private Peers written;
  private long differsSince;

  PeersRecord(String vlan, Peers written, Consumer<Peers> journal) {
    this.vlan = vlan;
    this.written = written;
    this.journal = journal;
  }

  /**
   * Writes what differs.
   *
   * @param calm how long a change may wait for others to come
   * @return how long that can wait
   */
  Duration write(Peers now, Duration calm) {
    if (now.hasSameLeases(written)) {
      differsSince = 0;
      return LONGEST_WAIT;
    }
    differsSince = differsSince == 0 ? System.nanoTime() : differsSince;
    Duration left = calm.minusNanos(System.nanoTime() - differsSince);
    if (left.isPositive()) {
      return left;
    }
    try {
      journal.accept(now);
      written = now;
      differsSince = 0;
      return LONGEST_WAIT;
    } catch (JournalException e) {
      LOG.debug("the peers of VLAN {} are not written: {}", vlan, e.getMessage());
      return RETRY;
    }
  }
}
