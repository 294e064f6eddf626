package io.flannelvlan.driver.kernel;

/** A per-link IPv4 setting that is switched on. */
public record LinkSetting(String link, Name name) {

  /** The kernel's names under {@code /proc/sys/net/ipv4/conf/LINK}. */
  public enum Name {
    FORWARDING,
    ROUTE_LOCALNET;

    String sysctl() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  @Override
  public String toString() {
    return "net.ipv4.conf." + link.replace('.', '/') + "." + name.sysctl() + "=1";
  }
}
