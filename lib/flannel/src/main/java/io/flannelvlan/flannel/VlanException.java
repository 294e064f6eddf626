package io.flannelvlan.flannel;

/** A wish that cannot be granted as etcd stands. Its text is fit for the user. */
public final class VlanException extends RuntimeException {

  private static final long serialVersionUID = 1;

  /** What a caller may want to tell apart. */
  public enum Kind {
    /** Another VLAN, or this one made differently, is in the way. */
    CONFLICT,
    /** Another host holds the subnet. */
    TAKEN,
    /** No subnet is left. */
    FULL,
    /** This host is not in the VLAN any more. */
    LEFT,
    /** The subnet is none of this VLAN's. */
    UNFIT,
    /** Others were faster each time; trying again later may help. */
    CONTENDED
  }

  private final Kind kind;

  public VlanException(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  public Kind kind() {
    return kind;
  }
}
