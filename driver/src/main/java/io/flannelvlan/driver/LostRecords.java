package io.flannelvlan.driver;

import io.flannelvlan.driver.kernel.Desired;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.journal.Table;
import java.time.Clock;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the journal was lost, or a part of it, and Docker has not told yet what was in it. Noted
 * in the journal itself, so that a restart in between forgets nothing.
 */
final class LostRecords {

  private static final Logger LOG = LoggerFactory.getLogger(LostRecords.class);
  private static final String KEY = "records";

  /**
   * The journal's record.
   *
   * @param links whether links of ours stood in the kernel, which the lost records may have wanted
   */
  record Loss(Instant since, boolean links) {}

  private final Journal journal;
  private final Table<Loss> table;

  /** Whether all was asked for since this process began. */
  private volatile boolean asked;

  /**
   * What is lost at this start.
   *
   * @param state before anything was changed in it
   */
  LostRecords(Journal journal, KernelState state, Clock clock) {
    this.journal = journal;
    this.table = journal.table("lost", Loss.class);
    if (journal.isNew() || journal.isDamaged()) {
      Loss loss = new Loss(clock.instant(), state.hasOurs() || holdsLinks());
      // If the disk takes nothing, the journal is as new or as damaged at the next start.
      journal.commit(new Batch().put(table, KEY, loss).givingBack());
    }
  }

  /** Whether Docker may have something of ours that the journal does not know. */
  boolean isLost() {
    return table.get(KEY).isPresent();
  }

  /** How much is known of what the kernel should hold. */
  Desired.Extent extent() {
    if (!holdsLinks()) {
      return Desired.Extent.ALL;
    }
    return asked ? Desired.Extent.HAD_BACK : Desired.Extent.BEGUN;
  }

  private boolean holdsLinks() {
    return table.get(KEY).filter(Loss::links).isPresent();
  }

  /**
   * All links of ours have records again, whatever else is missing.
   *
   * @see WithoutDocker
   */
  void linksAccountedFor() {
    table
        .get(KEY)
        .ifPresent(loss ->
            journal.commit(
                new Batch().put(table, KEY, new Loss(loss.since(), /* links= */ false))));
  }

  /** What can be had back now is; the rest has a reason that may stay. */
  void asked() {
    asked = true;
  }

  /** Docker has told all. */
  void found() {
    journal.commit(new Batch().remove(table, KEY));
    LOG.info("nothing is missing from this host's records any more");
  }
}
