package io.flannelvlan.driver.kernel;

/** Something about a link that is switched on. */
public record LinkSetting(String link, Name name) {

  /** The kernel's words: sysctls of {@code net.ipv4.conf.LINK}, and what a bridge's port has. */
  public enum Name {
    FORWARDING,
    ROUTE_LOCALNET,
    /** Goes when the port leaves its bridge. */
    HAIRPIN,
    /**
     * Frames to the bridge itself take the way of all others, where the firewall sees them: a
     * bridge learns from those too. Goes like the former.
     */
    GROUP_FORWARD;

    /** Whether it is of a bridge's port, and goes when that leaves its bridge. */
    boolean isOfPort() {
      return switch (this) {
        case HAIRPIN, GROUP_FORWARD -> true;
        case FORWARDING, ROUTE_LOCALNET -> false;
      };
    }
  }

  /** The command that switches it on. */
  @Override
  public String toString() {
    return switch (name) {
      case FORWARDING -> sysctl("forwarding");
      case ROUTE_LOCALNET -> sysctl("route_localnet");
      case HAIRPIN -> "bridge link set dev " + link + " hairpin on";
      case GROUP_FORWARD -> "ip link set " + link + " type bridge_slave group_fwd_mask 16384";
    };
  }

  private String sysctl(String setting) {
    return "sysctl -w net.ipv4.conf." + link.replace('.', '/') + "." + setting + "=1";
  }
}
