package io.flannelvlan.driver;

import io.flannelvlan.cni.Names;
import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.net.Vni;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What {@code docker network create --opt} may say.
 *
 * @param network the VLAN's name in etcd
 * @param iface underlay for this VLAN: a link's name, an address or a CIDR
 * @param bridge name for the VLAN's bridge on this host
 * @param port UDP port of the tunnel; only the VLAN's first creator may choose
 * @param mtu of the containers' links, in bytes
 * @param everywhere whether the other hosts shall have the network as well
 */
record NetworkOptions(
    Optional<Vni> vni,
    Optional<String> network,
    Optional<String> iface,
    Optional<String> bridge,
    Optional<Integer> port,
    Optional<Integer> mtu,
    boolean everywhere) {

  static final String DOCKER_MTU = "com.docker.network.driver.mtu";
  static final String DOCKER_BRIDGE = "com.docker.network.bridge.name";

  /** Read by dockerd itself from any driver's options; not ours, not an error. */
  private static final List<String> DOCKERS_OWN =
      List.of(
          "com.docker.network.advertise_addr_nmsgs",
          "com.docker.network.advertise_addr_ms",
          "com.docker.network.container_iface_prefix");

  private static final String KNOWN =
      "vni, network, iface, bridge, port, mtu, everywhere, " + DOCKER_MTU + ", " + DOCKER_BRIDGE;

  /** Less does not carry IPv4 (RFC 791). */
  private static final int MIN_MTU = 68;

  private static final int MAX_MTU = 65535;

  /**
   * Reads the options.
   *
   * @throws Refused for an unknown option, one given twice under two names, or a value that can't
   *     be meant
   */
  static NetworkOptions parse(Map<String, String> generic) {
    Map<String, String> left = new TreeMap<>(generic);
    DOCKERS_OWN.forEach(left::remove);
    NetworkOptions options =
        new NetworkOptions(
            take(left, "vni").map(NetworkOptions::vni),
            take(left, "network"),
            take(left, "iface"),
            oneOf(left, "bridge", DOCKER_BRIDGE).map(NetworkOptions::linkName),
            take(left, "port").map(text -> number("port", text, 1, 65535)),
            oneOf(left, "mtu", DOCKER_MTU).map(text -> number("mtu", text, MIN_MTU, MAX_MTU)),
            take(left, "everywhere").map(NetworkOptions::flag).orElse(true));
    if (!left.isEmpty()) {
      throw new Refused(
          "unknown option " + String.join(", ", left.keySet()) + "; flannelvlan knows " + KNOWN);
    }
    return options;
  }

  private static Optional<String> take(Map<String, String> left, String key) {
    return Optional.ofNullable(left.remove(key)).map(String::strip).filter(v -> !v.isEmpty());
  }

  private static Optional<String> oneOf(Map<String, String> left, String ours, String dockers) {
    Optional<String> a = take(left, ours);
    Optional<String> b = take(left, dockers);
    if (a.isPresent() && b.isPresent() && !a.equals(b)) {
      throw new Refused(ours + "=" + a.get() + " contradicts " + dockers + "=" + b.get());
    }
    return a.or(() -> b);
  }

  private static Vni vni(String text) {
    try {
      return Vni.parse(text);
    } catch (IllegalArgumentException e) {
      throw new Refused("option vni: " + e.getMessage());
    }
  }

  private static String linkName(String name) {
    if (!Names.isLink(name)) {
      throw new Refused("option bridge: \"" + name + "\" can't be a link's name");
    }
    return name;
  }

  private static boolean flag(String text) {
    return switch (text) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new Refused("option everywhere: \"" + text + "\" is neither true nor false");
    };
  }

  private static int number(String option, String text, int min, int max) {
    try {
      int number = Integer.parseInt(text);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException _) {
      // Falls through to the one message for both.
    }
    throw new Refused("option " + option + ": \"" + text + "\" is no number in " + min + "…" + max);
  }
}
