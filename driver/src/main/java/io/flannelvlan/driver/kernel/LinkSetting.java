package io.flannelvlan.driver.kernel;

/** Something about a link that is switched on. */
public record LinkSetting(String link, Name name) {

  /** The kernel's words: sysctls of {@code net.ipv4.conf.LINK}, and a mode of a bridge's port. */
  public enum Name {
    FORWARDING,
    ROUTE_LOCALNET,
    /** Goes when the port leaves its bridge. */
    HAIRPIN
  }

  /** The command that switches it on. */
  @Override
  public String toString() {
    return switch (name) {
      case FORWARDING -> sysctl("forwarding");
      case ROUTE_LOCALNET -> sysctl("route_localnet");
      case HAIRPIN -> "bridge link set dev " + link + " hairpin on";
    };
  }

  private String sysctl(String setting) {
    return "sysctl -w net.ipv4.conf." + link.replace('.', '/') + "." + setting + "=1";
  }
}
