package io.flannelvlan.etcd;

/** A call that etcd did not answer, or answered with no. Its text is fit for the user. */
public final class EtcdException extends RuntimeException {

  private static final long serialVersionUID = 1;

  /** What a caller may want to tell apart. */
  public enum Kind {
    /**
     * Nobody listens, the connection broke, or the cluster has no leader. A write that was under
     * way may have happened.
     */
    UNAVAILABLE,
    /**
     * No answer in time. A write that was under way when etcd stopped answering may have happened,
     * or may still; one begun later was not sent.
     */
    TIMEOUT,
    /** The revision asked for is gone from etcd's history. */
    COMPACTED,
    /** Not permitted: user, password, certificate or role. */
    REFUSED,
    /** Anything else that etcd said, in its own words. */
    OTHER
  }

  private final Kind kind;

  EtcdException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  EtcdException(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  public Kind kind() {
    return kind;
  }

  /** True if etcd was not there to answer, so that the same call may succeed later. */
  public boolean isAway() {
    return kind == Kind.UNAVAILABLE || kind == Kind.TIMEOUT;
  }
}
