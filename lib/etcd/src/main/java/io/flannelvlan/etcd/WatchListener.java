package io.flannelvlan.etcd;

/**
 * Hears the whole state, not its changes: what was missed in between does not matter.
 *
 * <p>Called on one thread of the watch, one call after the other, so it may keep state without a
 * lock; while it works, newer events are gathered into the next call.
 *
 * @param <T> the state watched
 */
public interface WatchListener<T> {

  /** The state as etcd has it now; the watch is current from here on. */
  void current(T state);

  /**
   * etcd may have moved on unseen. The last state stays the best known; remove nothing because of
   * this. Called once, until {@link #current} is called again.
   */
  void notCurrent(EtcdException reason);
}
