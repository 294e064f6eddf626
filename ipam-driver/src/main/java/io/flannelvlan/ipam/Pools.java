package io.flannelvlan.ipam;

import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.journal.Table;
import io.flannelvlan.net.Cidr;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Optional;

/**
 * The pools that dockerd has from us; one per VLAN, whatever the number of its networks.
 *
 * <p>Docker never says for which network it asks, so a pool counts no references. It lives as long
 * as this host takes part in the VLAN, and without that for {@link #GRACE}: the time that dockerd
 * may take from RequestPool to CreateNetwork.
 */
public final class Pools {

  /** The AddressSpace by which CreateNetwork tells that the pool is ours. */
  public static final String ADDRESS_SPACE = "flannelvlan";

  /** A network create takes milliseconds; this covers an engine that is swapped out. */
  private static final Duration GRACE = Duration.ofMinutes(5);

  private final Journal journal;
  private final Table<Pool> table;
  private final InstantSource clock;

  public Pools(Journal journal, InstantSource clock) {
    this.journal = journal;
    this.table = journal.table("pool", Pool.class);
    this.clock = clock;
  }

  public Optional<Pool> get(Cidr range) {
    return table.get(range.toString());
  }

  Collection<Pool> all() {
    return table.values();
  }

  void put(Pool pool) {
    journal.commit(new Batch().put(table, pool.range().toString(), pool));
  }

  /** Forgets the pool; an unknown one is not an error. */
  public void remove(Cidr range) {
    if (get(range).isPresent()) {
      journal.commit(new Batch().remove(table, range.toString()).givingBack());
    }
  }

  boolean isPastGrace(Pool pool) {
    return pool.requested().plus(GRACE).isBefore(clock.instant());
  }

  Instant now() {
    return clock.instant();
  }
}
