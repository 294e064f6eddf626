package io.flannelvlan.netlink;

/** {@code enum rt_scope_t}: how far away a destination, or how widely known an address, is. */
public final class Scope {

  public static final int GLOBAL = 0;
  public static final int LINK = 253;
  public static final int HOST = 254;
  public static final int NOWHERE = 255;

  private Scope() {}

  /** As {@code ip} spells it. */
  static String name(int scope) {
    return switch (scope) {
      case GLOBAL -> "global";
      case LINK -> "link";
      case HOST -> "host";
      case NOWHERE -> "nowhere";
      default -> Integer.toString(scope);
    };
  }
}
